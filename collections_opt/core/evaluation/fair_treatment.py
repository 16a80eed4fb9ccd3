"""Fair treatment: does a ranking press some groups, or neglect some? Groups are never an input of a decision.

Two harms are looked for, each against all other accounts of the same attribute:

- pressure: a group is contacted more, or takes more minutes per account, than the others;
- neglect: accounts that contact would help are left unworked more often, or reach the hardship queues less.

A difference of worked rates is shown raw and at equal expected benefit (within tenths of the best increment, weighted by the
group's accounts): what remains there, the order of benefit does not explain. Groups of fewer than 30 accounts are suppressed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ranking import Disposition, Entries

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNKNOWN_GROUP = "(not in the group file)"
RATIO_BAND = (0.8, 1.25)
"""Ratios of rates outside this are looked at (four fifths: 29 CFR 1607.4(D), used here as a screen and not as a legal test)."""

STRATA = 10
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class GroupTreatment:
    """How one group is treated; everything but the names is None where the group is suppressed. Money in minor units.

    Attributes:
        attribute: name of the attribute, such as a column of the group file.
        group: value of it.
        account_count: accounts of the group.
        worked_share: share worked, with its 95 % interval.
        minutes_per_account: handling minutes over all accounts of the group.
        increment_per_account: expected increment over all accounts of the group.
        minutes_per_worked: handling minutes per account worked; None when nobody is.
        unworked_share: of the accounts whose best increment is positive, the share left unworked.
        hardship_share: share in a hardship queue.
        worked_ratio: worked share over that of all other accounts; None when that is 0.
        worked_difference: difference to all other accounts, with interval.
        equal_benefit_difference: the same at equal expected benefit.
        flags: harms to look at, of PRESSURE, NEGLECT, HARDSHIP_ACCESS.
        held_out_share: share left alone by experiments' draws, which are no neglect; None where the ranking knows no experiment.
        other_plan_share: share that another plan works, by an experiment's draw: that plan's ranking says how it treats them;
            None where two plans do not share the work.
    """

    attribute: str
    group: str
    account_count: int | None = None
    worked_share: Interval | None = None
    minutes_per_account: float | None = None
    increment_per_account: float | None = None
    minutes_per_worked: float | None = None
    unworked_share: float | None = None
    hardship_share: float | None = None
    worked_ratio: float | None = None
    worked_difference: Interval | None = None
    equal_benefit_difference: Interval | None = None
    flags: tuple[str, ...] = ()
    held_out_share: float | None = None
    other_plan_share: float | None = None

    @property
    def is_suppressed(self) -> bool:
        """True where the group is too small to be shown."""
        return self.account_count is None


def fair_treatment(
    entries: Entries, groups: Mapping[str, Sequence[str] | NDArray[np.str_]], hardship_queues: Sequence[int]
) -> list[GroupTreatment]:
    """Return how every group of every attribute is treated by a ranking.

    Args:
        entries: the ranking, one row per account.
        groups: per attribute, the group of every account, aligned with the entries.
        hardship_queues: indices of the queues for people in difficulty.

    Raises:
        ValueError: when an attribute has another number of rows.
    """
    facts = _facts(entries, hardship_queues)
    result: list[GroupTreatment] = []
    for attribute, values in groups.items():
        column = np.asarray(values, dtype=np.str_)
        if column.shape != entries.account_id.shape:
            raise ValueError(f"{attribute} has {column.size} rows, the ranking {entries.account_id.size}")
        result.extend(_treatment(attribute, str(name), column == name, facts) for name in np.unique(column))
    return result


@dataclass(frozen=True)
class _Facts:
    worked: Mask
    minutes: Floats
    increment: Floats
    helped: Mask
    hardship: Mask
    stratum: NDArray[np.int64]
    allowed: Mask
    held_out: Mask | None
    of_other_plan: Mask | None


def _facts(entries: Entries, hardship_queues: Sequence[int]) -> _Facts:
    worked = entries.queue != UNASSIGNED
    best = entries.increment_minor.astype(np.float64)
    allowed = (entries.disposition != Disposition.INELIGIBLE) & ~entries.kept_out
    edges = np.quantile(best[allowed], np.linspace(0, 1, STRATA + 1)[1:-1]) if allowed.any() else np.zeros(STRATA - 1)
    return _Facts(
        worked,
        np.where(worked, entries.seconds / 60.0, 0.0),
        np.where(worked, best, 0.0),
        allowed & (best > 0),
        worked & np.isin(entries.queue, np.asarray(hardship_queues, dtype=np.int64)),
        np.searchsorted(edges, best, side="right"),
        allowed,
        None if entries.arm is None else entries.held_out,
        entries.of_other_plan if entries.of_other_plan.any() else None,
    )


def _treatment(attribute: str, group: str, mine: Mask, facts: _Facts) -> GroupTreatment:
    count = int(mine.sum())
    if count < MIN_CELL_COUNT or (~mine).sum() < MIN_CELL_COUNT:
        return GroupTreatment(attribute, group)
    worked, others = facts.worked[mine], facts.worked[~mine]
    share, other_share = float(worked.mean()), float(others.mean())
    raw = _difference(worked, others)
    equal = _equal_benefit(mine, facts)
    helped = facts.helped & mine
    unworked = float((~facts.worked[helped]).mean()) if helped.sum() >= MIN_CELL_COUNT else None
    hardship = _difference(facts.hardship[mine], facts.hardship[~mine])
    access = float(facts.hardship[mine].mean())
    return GroupTreatment(
        attribute,
        group,
        count,
        _wilson(int(worked.sum()), count),
        float(facts.minutes[mine].mean()),
        float(facts.increment[mine].mean()),
        float(facts.minutes[mine & facts.worked].mean()) if worked.any() else None,
        unworked,
        access,
        share / other_share if other_share > 0 else None,
        raw,
        equal,
        _flags(share, other_share, raw, equal) + _access_flag(access, hardship),
        None if facts.held_out is None else float(facts.held_out[mine].mean()),
        None if facts.of_other_plan is None else float(facts.of_other_plan[mine].mean()),
    )


def _flags(share: float, other: float, raw: Interval, equal: Interval | None) -> tuple[str, ...]:
    """A harm is flagged where a ratio leaves the band beyond chance, or benefit does not explain a difference."""
    flags = []
    low, high = RATIO_BAND
    if (share > high * other and raw.low > 0) or (equal is not None and equal.low > 0):
        flags.append("PRESSURE")
    if (share < low * other and raw.high < 0) or (equal is not None and equal.high < 0):
        flags.append("NEGLECT")
    return tuple(flags)


def _access_flag(share: float, difference: Interval) -> tuple[str, ...]:
    others = share - difference.value
    return ("HARDSHIP_ACCESS",) if share < RATIO_BAND[0] * others and difference.high < 0 else ()


def _difference(mine: Mask, others: Mask) -> Interval:
    a, b = float(mine.mean()), float(others.mean())
    error = NORMAL_95 * float(np.sqrt(a * (1 - a) / mine.size + b * (1 - b) / others.size))
    return Interval(a - b, a - b - error, a - b + error)


def _equal_benefit(mine: Mask, facts: _Facts) -> Interval | None:
    """Return the difference within tenths of the best increment of eligible accounts, weighted by the group's."""
    value = variance = weight = 0.0
    for stratum in range(STRATA):
        inside = facts.allowed & (facts.stratum == stratum)
        a, b = facts.worked[inside & mine], facts.worked[inside & ~mine]
        if a.size < 5 or b.size < 5:
            continue
        # Agresti and Caffo (2000): one success and one failure more keep the error honest where a rate is 0 or 1.
        p, q = (a.sum() + 1) / (a.size + 2), (b.sum() + 1) / (b.size + 2)
        value += a.size * float(a.mean() - b.mean())
        variance += a.size**2 * float(p * (1 - p) / (a.size + 2) + q * (1 - q) / (b.size + 2))
        weight += a.size
    if weight < MIN_CELL_COUNT:
        return None
    centre, error = value / weight, NORMAL_95 * float(np.sqrt(variance)) / weight
    return Interval(centre, centre - error, centre + error)


def _wilson(hits: int, count: int) -> Interval:
    """Return a share with Wilson's interval."""
    share, z = hits / count, NORMAL_95
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    return Interval(share, max(centre - half, 0.0), min(centre + half, 1.0))
