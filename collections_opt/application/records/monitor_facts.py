"""What a monitor found of a matured ranking, as it is recorded: whole numbers of 1e-9, nothing where there is no figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from collections_opt.application.records.record_parts import RecordPart, read_part, write_part
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import OutcomeKind, OutcomeRecord

_SCALE = 1_000_000_000
_LOOKED_AT = 60
"""Latest records that are looked through for a model's."""

SLOPES = (0.8, 1.25)
"""Within them a calibration slope is as it should be."""


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval; NaN where there is none."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    def nano(self) -> tuple[int, ...]:
        """Return the three in whole 1e-9, nothing where one of them is no number."""
        held = _figure(self)
        return tuple(each for each in held if each is not None) if None not in held else ()

    @classmethod
    def of_nano(cls, held: Sequence[int]) -> Figure:
        """Return a figure of its ``nano``."""
        return _read_figure(list(held)) if held else cls()


@dataclass(frozen=True)
class CellFigures:
    """Predicted against realised in a part of the accounts.

    Attributes:
        dimension: how accounts are divided, one of ``alarms.DIMENSIONS``.
        value: which part, "" for all.
        outcome: "cure", "default", or "contact" for right-party contact of the accounts that were tried.
        account_count: accounts whose outcome was seen.
        predicted: mean chance.
        realised: share of the outcome, those seen standing for those that left sight.
        level: log-odds by which outcomes are above the prediction (intercept at slope 1); 0 is right.
        slope: of the outcome on the predicted log-odds; 1 is right.
        brier_skill: 1 - Brier over that of the realised share.
        auc: chance that an account with the outcome had the higher prediction.
        evidence: log of this ranking's evidence for each of ``alarms.TILTS``; empty where nothing is judged.
        level_log: log of the evidence so far that something is wrong.
        threshold_log: from where on there is an alarm.
        findable_odds: factor by which the odds must shift to be found within two months in 90 % of cases.
        alarm: whether this ranking raised one.
    """

    dimension: str
    value: str
    outcome: str
    account_count: int
    predicted: float
    realised: Figure
    level: Figure
    slope: Figure
    brier_skill: float
    auc: Figure
    evidence: tuple[float, ...] = ()
    level_log: float = math.nan
    threshold_log: float = math.nan
    findable_odds: float = math.nan
    alarm: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Dimension, part and outcome."""
        return self.dimension, self.value, self.outcome

    @property
    def slope_left_bounds(self) -> bool:
        """Whether the slope is outside ``SLOPES`` with confidence."""
        return self.slope.high < SLOPES[0] or self.slope.low > SLOPES[1]


@dataclass(frozen=True)
class ChallengerMoney(RecordPart):
    """What a challenger's list is worth beside the one that was decided, as far as what happened tells; whole minor units.

    Three numbers are a figure with its 95 % interval; none where it is not known.

    Attributes:
        dropped_count: accounts that the ranking meant to work and the challenger would not.
        added_count: accounts that it would work and the ranking did not mean to.
        moved_count: accounts that both would work, in other queues.
        gain_by_model_minor: increments of its list less those of the one decided, as the models that decided see them.
        gain_by_challenger_minor: the same as the challenger sees them.
        gain_bounds_minor: least and most that its list can have been worth over the one decided, before cost, whatever contact
            does.
        cash_difference_minor: what the accounts of its list paid less what those of the one decided paid: where money was, not
            what contact brought.
        drawn_count: accounts meant for work of which an experiment drew who is left alone.
        contact_worth_minor: what contact brought to one of these, net of its cost, by the draw.
        contact_worth_by_model_minor: what the models that decided said it brings, on those that were contacted.
        contact_worth_by_challenger_minor: what the challenger said of the same.
        dropped_drawn_count: of the dropped accounts, those with a draw.
        dropped_worth_minor: what contact brought to all of these: what dropping them would have cost.
        why_unknown: why ``dropped_worth_minor`` is not known, "" where it is.
    """

    dropped_count: int
    added_count: int
    moved_count: int
    gain_by_model_minor: int
    gain_by_challenger_minor: int
    gain_bounds_minor: tuple[int, ...]
    cash_difference_minor: tuple[int, ...]
    drawn_count: int
    contact_worth_minor: tuple[int, ...]
    contact_worth_by_model_minor: int | None
    contact_worth_by_challenger_minor: int | None
    dropped_drawn_count: int
    dropped_worth_minor: tuple[int, ...]
    why_unknown: str


@dataclass(frozen=True)
class ChallengerFacts(RecordPart):
    """A challenger in shadow against what decided, on what happened; shares and losses in 1e-9.

    Attributes:
        judged_on: accounts that tell of its kind: "UNWORKED" for outcome models, "WORKED" for effects, "TRIED" for contacts
            (those whom somebody tried to reach), "NOTHING" for recoveries.
        account_count: how many.
        predicted_nano: mean chance by what decided: of default, of cure, of a right-party contact; None for too few accounts.
        challenger_predicted_nano: by the challenger.
        realised_nano: share that came true, with its interval.
        loss_nano: by how much the challenger's mean log loss is above that of what decided; below 0 it is better.
        money: of its list; None in records of before challengers made lists.
    """

    judged_on: str
    account_count: int
    predicted_nano: int | None = None
    challenger_predicted_nano: int | None = None
    realised_nano: tuple[int, ...] = ()
    loss_nano: tuple[int, ...] = ()
    money: ChallengerMoney | None = None

    @property
    def loss(self) -> Figure:
        """The difference of log losses."""
        return Figure.of_nano(self.loss_nano)


@dataclass(frozen=True)
class MonitorFacts:
    """Everything that a monitor found of one matured ranking.

    Attributes:
        maturity_seq: record of the outcomes that it was held against.
        ranking_id: the ranking.
        portfolio_id: its portfolio.
        as_of_date: its day.
        horizon_days: the longest.
        plan_id: its desk.
        model_version: what scored.
        effects_version: what contact was said to do.
        overlaps: the ranking whose horizon still ran on its day, "" for none: what overlaps is shown and judged by no alarm.
        unseen_count: accounts that left sight, for which others stand.
        captured: share of the money paid that accounts hold that were worked, by order: "worked", "balance", "hindsight".
        cells: by dimension.
        challengers: what became of what each challenger said, by version.
    """

    maturity_seq: int
    ranking_id: str
    portfolio_id: str
    as_of_date: date
    horizon_days: int
    plan_id: str
    model_version: str
    effects_version: str
    overlaps: str
    unseen_count: int
    captured: Mapping[str, Figure]
    cells: tuple[CellFigures, ...]
    challengers: Mapping[str, ChallengerFacts] = field(default_factory=dict)

    @property
    def is_counted(self) -> bool:
        """Whether alarms read it."""
        return not self.overlaps

    def cell(self, dimension: str, value: str, outcome: str) -> CellFigures | None:
        """Return a cell, None where there is none."""
        return next((one for one in self.cells if one.key == (dimension, value, outcome)), None)

    def to_payload(self) -> dict[str, Any]:
        """Return what is recorded."""
        plain: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        plain["as_of_date"] = self.as_of_date.isoformat()
        plain["captured"] = {name: _figure(one) for name, one in self.captured.items()}
        plain["challengers"] = {name: write_part(one) for name, one in self.challengers.items()}
        if not self.challengers:
            del plain["challengers"]
        plain["cells"] = [{one.name: _plain(getattr(cell, one.name)) for one in fields(cell)} for cell in self.cells]
        return plain

    @classmethod
    def of(cls, record: OutcomeRecord) -> MonitorFacts:
        """Return what a record says.

        Raises:
            CollectionsError: INTEGRITY_FAILURE for what no version of this code wrote.
        """
        held = record.facts
        try:
            cells = tuple(_cell(one) for one in held["cells"])
            captured = {name: _read_figure(one) for name, one in held["captured"].items()}
            shadows = {name: _challenger(one) for name, one in held.get("challengers", {}).items()}
            as_of = date.fromisoformat(held["as_of_date"])
            return cls(**{**held, "as_of_date": as_of, "captured": captured, "cells": cells, "challengers": shadows})
        except (KeyError, TypeError, ValueError) as error:
            told = f"outcome record {record.seq} cannot be read."
            raise refuse(Reason.INTEGRITY_FAILURE, "monitors", told, "Use the code that wrote it, or newer.") from error


def monitor_warnings(ledger: Ledger, model_version: str) -> list[str]:
    """Return, in sentences, where the last monitor of a model says that its predictions do not hold; empty when they do."""
    for record in ledger.outcomes.latest(OutcomeKind.MONITOR, _LOOKED_AT):
        facts = MonitorFacts.of(record)
        if facts.model_version == model_version:
            return list(_warnings(facts))
    return []


def _warnings(facts: MonitorFacts) -> Iterator[str]:
    where = f"in the ranking of {facts.as_of_date}"
    parts = (facts.cell("unworked", "", "default"), facts.cell("all", "", "default"))
    # Whichever is known better: what contact did is in the slope of all, and few may be left unworked.
    known = [cell for cell in parts if cell is not None and math.isfinite(cell.slope.value)]
    judged = min(known, key=lambda cell: cell.slope.high - cell.slope.low, default=None)
    if judged is not None and judged.slope_left_bounds:
        one = judged.slope
        yield (
            f"{facts.model_version} told defaults apart with slope {one.value:.2f} ({one.low:.2f} to {one.high:.2f}; 1 is right, "
            f"{SLOPES[0]} to {SLOPES[1]} is tolerated) {where}: train it anew, or let its calibration be looked at."
        )
    alarms = [cell for cell in facts.cells if cell.alarm]
    if alarms:
        shown = ", ".join(f"{cell.outcome} of {cell.dimension} {cell.value}".rstrip() for cell in alarms[:3])
        more = f" and {len(alarms) - 3} more" if len(alarms) > 3 else ""
        yield f"monitors raised {len(alarms)} alarm(s) about {facts.model_version} {where}: {shown}{more}."


def _plain(value: Any) -> Any:
    if isinstance(value, Figure):
        return _figure(value)
    if isinstance(value, tuple):
        return [_nano(one) for one in value]
    return _nano(value) if isinstance(value, float) else value


def _nano(value: float) -> int | None:
    return round(value * _SCALE) if math.isfinite(value) else None


def _figure(one: Figure) -> list[int | None]:
    return [_nano(one.value), _nano(one.low), _nano(one.high)]


def _real(held: int | None) -> float:
    return math.nan if held is None else held / _SCALE


def _read_figure(held: list[int | None]) -> Figure:
    return Figure(*map(_real, held))


def _challenger(held: Any) -> ChallengerFacts:
    """Return what became of a challenger; before they made lists, outcome models alone, by their difference of losses."""
    return ChallengerFacts("UNWORKED", 0, loss_nano=tuple(held)) if isinstance(held, list) else read_part(ChallengerFacts, held)


def _cell(held: Mapping[str, Any]) -> CellFigures:
    reals = ("predicted", "brier_skill", "level_log", "threshold_log", "findable_odds")
    figures = ("realised", "level", "slope", "auc")
    return CellFigures(
        **{
            **held,
            **{name: _real(held[name]) for name in reals},
            **{name: _read_figure(held[name]) for name in figures},
            "evidence": tuple(map(_real, held["evidence"])),
        }
    )
