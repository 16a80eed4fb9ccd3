"""What to expect of worklists, for people: the figure to state, what it rests on, and how much hangs on what nobody measured."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from collections_opt.core.codes.currencies import currency
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.ranking.ranking_summary import RankingSummary
from collections_opt.core.value.stated_money import FACTOR_SCALE, StatedMoney
from collections_opt.reports.money import share
from collections_opt.reports.order_names import TITLES

STRONGEST = 2.0
"""The sensitivity is counted up to twice the assumed effects."""


def expected_sentence(summary: RankingSummary) -> str:
    """Return what to expect of the worklists and what that rests on, the weakest first; "" where it was not counted."""
    stated = summary.stated
    if stated is None or not summary.counts[Disposition.ASSIGNED]:
        return ""
    unit = currency(summary.currency_code)
    figure = f"{unit.whole(stated.expected_minor)} {unit.code}"
    if not stated.assumed_minor:
        kept = stated.expected_minor / stated.chosen_by_minor if stated.chosen_by_minor > 0 else math.nan
        return (
            f"Expect {figure} (95 %: {unit.whole(stated.low_minor or 0)} to {unit.whole(stated.high_minor or 0)}), {share(kept)} "
            "of what the estimates that chose say: effects learned from some people chose, those from others were added up."
        )
    measured = f", {unit.whole(stated.learned_minor)} of it before cost by effects measured on contacts"
    measured_too = any(grade is not EvidenceGrade.ASSUMED for grade, _ in summary.money_by_grade)
    resting = "Effects of no known error" if measured_too else "ASSUMED effects"
    low, high = (unit.whole(end) for end in stated.range_minor)
    return (
        f"{resting}, so a range and no interval: {low} to {high} {unit.code}, from contact that does nothing to effects twice as "
        f"strong. As assumed: {unit.whole(stated.expected_minor)}{measured if stated.learned_minor else ''}; half as strong: "
        f"{unit.whole(stated.if_half_minor)}. {_break_even(stated)}"
    )


def sensitivity_sentence(summaries: Sequence[RankingSummary]) -> str:
    """Return at which strengths of the assumed effects another order's worklists would add more than the first's.

    The worklists stay as they are; only what contact does is scaled. "" where no money is assumed.
    """
    first, known = summaries[0].stated, [one for one in summaries[1:] if one.stated is not None]
    if first is None or not first.assumed_minor or not known:
        return ""
    wins = []
    for other in known:
        assert other.stated is not None
        wins += [f"{TITLES[other.ordering]} {where}" for where in _crossings(first, other.stated)]
    if not wins:
        return (
            f"At every strength of the assumed effects from none to twice, {TITLES[summaries[0].ordering]} adds at least as much "
            "as every other order: what the sensitivity cannot show is effects of another form."
        )
    return f"Were the assumed effects of another strength, these orders would add more: {'; '.join(wins)}."


def _break_even(stated: StatedMoney) -> str:
    if stated.break_even_nano < 0:
        return "At no strength up to twice the assumed does it add more than it costs."
    if stated.break_even_nano == 0:
        return "It adds more than it costs even without them."
    return f"Below {stated.break_even_nano / FACTOR_SCALE:.0%} of the assumed strength it costs more than it adds."


def _strengths(stated: StatedMoney) -> list[tuple[float, int]]:
    """Money by strength of the assumed effects; in between it runs nearly straight."""
    nothing = stated.expected_minor - stated.assumed_minor
    return [(0.0, nothing), (0.5, stated.if_half_minor), (1.0, stated.expected_minor), (STRONGEST, stated.if_double_minor)]


def _crossings(first: StatedMoney, other: StatedMoney) -> list[str]:
    """Return where the other order adds more, in words."""
    points = [(factor, b - a) for (factor, a), (_, b) in zip(_strengths(first), _strengths(other), strict=True)]
    found = []
    if points[0][1] > 0:
        found.append(f"below {_crossing(points):.0%} of it")
    if points[-1][1] > 0:
        found.append(f"above {_crossing(points[::-1]):.0%} of it")
    if not found and any(ahead > 0 for _, ahead in points):
        found.append(f"at {max(points, key=lambda point: point[1])[0]:.0%} of it")
    return found


def _crossing(points: Sequence[tuple[float, float]]) -> float:
    """Return where a difference that starts above zero first falls to zero; the last strength where it never does."""
    for (low, above), (high, below) in itertools.pairwise(points):
        if below <= 0:
            return low + (high - low) * above / (above - below)
    return points[-1][0]
