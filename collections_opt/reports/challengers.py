"""Challengers in shadow against what decided: what their kind predicted, and what their lists are worth as far as is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from collections_opt.core.shown_text import visible

Table = tuple[list[str], list[list[str]]]
MONEY_NOTE = (
    "Money is in minor units. Gains by model and by challenger are what each predicts of the challenger's list over the one "
    "decided. Bounds hold whatever contact does: of whom both lists treat alike nothing changes, of the others one thing was "
    "done and seen. Only draws tell more: what dropping accounts would have cost is measured where an experiment drew who is "
    "left alone. What contact would have brought to accounts that only the challenger would work, nobody knows."
)
JUDGED = {"UNWORKED": "default, unworked", "WORKED": "cure, worked", "TRIED": "reached, tried", "NOTHING": "not observed"}
"""What is judged on which accounts."""


@dataclass(frozen=True)
class Ranged:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ListMoney:
    """What a challenger's list is worth beside the one decided, minor units; None where it is not known."""

    dropped_count: int
    added_count: int
    moved_count: int
    gain_by_model: int
    gain_by_challenger: int
    least_gain: int
    most_gain: int
    contact_worth: Ranged | None
    contact_worth_by_model: int | None
    contact_worth_by_challenger: int | None
    dropped_drawn_count: int
    dropped_worth: Ranged | None
    why_unknown: str


@dataclass(frozen=True)
class ChallengerLine:
    """A challenger of one matured ranking; None where too few accounts bear a figure."""

    day: date
    served: str
    challenger: str
    judged_on: str
    account_count: int
    predicted: float | None
    challenger_predicted: float | None
    realised: Ranged | None
    loss: Ranged | None
    money: ListMoney | None

    @property
    def word(self) -> str:
        """Whether it predicts better than what decided."""
        if self.loss is None:
            return "not known"
        return "better" if self.loss.high < 0 else "worse" if self.loss.low > 0 else "not told apart"


def challengers_table(lines: Iterable[ChallengerLine]) -> Table:
    """Return what each challenger's kind predicted against what happened, by day."""
    header = ["day", "challenger", "judged", "accounts", "model", "challenger says", "realised", "log loss above", "so far"]
    shown = []
    for one in lines:
        loss = "-" if one.loss is None else f"{one.loss.value:+.4f} ({one.loss.low:+.4f} to {one.loss.high:+.4f})"
        rates = [_percent(one.predicted), _percent(one.challenger_predicted)]
        rates.append(
            "-" if one.realised is None else f"{one.realised.value:.1%} ({one.realised.low:.1%} to {one.realised.high:.1%})"
        )
        judged = JUDGED.get(one.judged_on, one.judged_on)
        shown.append([str(one.day), visible(one.challenger), judged, f"{one.account_count:,}", *rates, loss, one.word])
    return header, shown


def lists_table(lines: Iterable[ChallengerLine]) -> Table:
    """Return what each challenger's list is worth beside the one decided, by day."""
    header = [
        "day",
        "challenger",
        "drops",
        "adds",
        "moves",
        "gain by model",
        "by challenger",
        "gain within",
        "contact brings",
        "model said",
        "challenger said",
        "drops cost",
    ]
    shown = []
    for one in lines:
        m = one.money
        if m is None:
            continue
        cost = _ranged(m.dropped_worth)
        if m.dropped_worth is None:
            cost = f"not known: {m.why_unknown}" if m.dropped_count else "nothing"
        elif m.dropped_drawn_count < m.dropped_count:
            cost = f"{cost}, of {m.dropped_drawn_count:,} drawn"
        counts = [f"{each:,}" for each in (m.dropped_count, m.added_count, m.moved_count)]
        gains = [f"{m.gain_by_model:+,}", f"{m.gain_by_challenger:+,}", f"{m.least_gain:+,} to {m.most_gain:+,}"]
        said = [_whole(m.contact_worth_by_model), _whole(m.contact_worth_by_challenger)]
        shown.append([str(one.day), visible(one.challenger), *counts, *gains, _ranged(m.contact_worth), *said, visible(cost)])
    return header, shown


def _ranged(one: Ranged | None) -> str:
    return "-" if one is None else f"{one.value:+,.0f} ({one.low:+,.0f} to {one.high:+,.0f})"


def _whole(one: int | None) -> str:
    return "-" if one is None else f"{one:+,}"


def _percent(one: float | None) -> str:
    return "-" if one is None else f"{one:.1%}"
