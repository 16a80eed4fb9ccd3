"""What an experiment can show, and what it costs, before it starts.

A difference of means of people drawn into two arms has the standard error

    sigma sqrt(1 - r^2) sqrt(1 / n_contact + 1 / n_held),

r being the correlation of the outcome with what was predicted before (CUPED: Deng, Xu, Kohavi and Walker 2013). A true effect of
(z_{1 - alpha / 2} + z_{power}) standard errors is found with the chance ``power`` (Bloom 1995). The expected cost follows from
linear programming: leaving persons out frees their minutes, which earn their price elsewhere, so what is lost of each is his
surplus D - lambda h. That is the least: as more are left out prices fall, and the whole increment D is the most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse

LEVEL = 0.95
"""Confidence of every interval."""

POWER = 0.80
"""Chance with which an effect of the detectable size is found."""

MIN_ARM_PERSONS = 200
"""People whom each arm must hold before it is read: below it sums of money are not near their normal distribution."""

MAX_MONEY_MINOR = 1e15
MAX_RATIO = 3_000.0

_NORMAL = NormalDist()
Z_LEVEL = _NORMAL.inv_cdf(0.5 + LEVEL / 2)
_Z_POWER = _NORMAL.inv_cdf(POWER)


@dataclass(frozen=True)
class OutcomeSpread:
    """How outcomes of people differ.

    Attributes:
        standard_deviation_minor: of one person, in minor units.
        correlation: with what was predicted.
        skewness: third standardised moment; 0 where it is not known. Money is skewed to the right: a mean of few amounts and its
            standard error are then both small or both large, and fewer effects are found than a normal mean promises.
    """

    standard_deviation_minor: float
    correlation: float = 0.0
    skewness: float = 0.0

    @property
    def unexplained_minor(self) -> float:
        """Standard deviation that the prediction leaves."""
        return self.standard_deviation_minor * math.sqrt(1.0 - self.correlation**2)


@dataclass(frozen=True)
class WorkedPersons:
    """People in scope whom a ranking would work, one row per person; what leaving each out costs.

    Attributes:
        surplus_minor: int64 (p,) D - lambda h: what is lost if his minutes earn their price elsewhere.
        increment_minor: int64 (p,) D: what is lost if his minutes earn nothing.
    """

    surplus_minor: NDArray[np.int64]
    increment_minor: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of people p."""
        return int(self.surplus_minor.size)


@dataclass(frozen=True)
class ExpectedCost:
    """Expected cost of leaving people alone, over an experiment; int64 minor units.

    Attributes:
        least_minor: expected, where freed minutes earn their price; grows to ``most_minor`` as they earn less.
        low_minor: lower end of the interval of ``least_minor`` by whom the draw meets (95 %).
        high_minor: upper end.
        most_minor: expected, where freed minutes earn nothing.
    """

    least_minor: int
    low_minor: int
    high_minor: int
    most_minor: int


@dataclass(frozen=True)
class ExperimentPlan:
    """What people are told before an experiment starts; money in minor units per person.

    Attributes:
        entering_count: people expected to enter: would-be-worked persons within its days.
        held_out_count: of them, expected in the arm left alone.
        detectable_minor: least effect found with a chance of 80 % at 95 % confidence; None where an arm would be too small.
        needed_count: people needed to find the effect wanted; 0 where none was named.
        cost: what it is expected to cost.
    """

    entering_count: int
    held_out_count: int
    detectable_minor: float | None
    needed_count: int
    cost: ExpectedCost


def check_spread(spread: OutcomeSpread) -> None:
    """Refuse a spread that no outcomes could have.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault.
    """
    found = []
    if not 0 < spread.standard_deviation_minor <= MAX_MONEY_MINOR:
        told = f"is {spread.standard_deviation_minor}."
        found.append(FieldViolation("standard_deviation", told, "Send the standard deviation of money per person, above 0."))
    if not -1 < spread.correlation < 1:
        found.append(FieldViolation("correlation", f"is {spread.correlation}.", "Send it between -1 and 1, or 0."))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), tuple(found))


def detectable_minor(spread: OutcomeSpread, share: float, persons: float) -> float:
    """Return the least effect per person found with chance ``POWER``, in minor units."""
    reach = Z_LEVEL + _z_power(spread, share * persons)
    return reach * spread.unexplained_minor / math.sqrt(share * (1.0 - share) * persons)


def _z_power(spread: OutcomeSpread, held_out: float) -> float:
    """Return by how many standard errors an effect must pass the threshold to be found with chance ``POWER``.

    Under a skewness g the studentised mean of n people misses its normal chance by g (2 z^2 + 1) phi(z) / (6 sqrt(n)) (Edgeworth;
    Hall 1992, section 2.6); the smaller arm decides.
    """
    lost = max(spread.skewness, 0.0) * (2.0 * _Z_POWER**2 + 1.0) * _NORMAL.pdf(_Z_POWER) / (6.0 * math.sqrt(max(held_out, 1.0)))
    return _NORMAL.inv_cdf(min(POWER + lost, 0.99))


def persons_needed(spread: OutcomeSpread, share: float, effect_minor: float) -> int:
    """Return how many people must enter to find an effect with chance ``POWER``, at least what the arms need to be read.

    Raises:
        CollectionsError: INVALID_ARGUMENT for an effect that is not above 0.
    """
    if not 0 < effect_minor <= MAX_MONEY_MINOR:
        raise refuse(Reason.INVALID_ARGUMENT, "wanted_effect", f"is {effect_minor}.", "Send money per person, above 0.")
    if spread.unexplained_minor / effect_minor > MAX_RATIO:
        told = f"{effect_minor} is too small beside a standard deviation of {spread.standard_deviation_minor}."
        raise refuse(
            Reason.INVALID_ARGUMENT, "wanted_effect", told, "Send an effect that fewer than a billion people could show."
        )
    wanted = ((Z_LEVEL + _Z_POWER) * spread.unexplained_minor / effect_minor) ** 2 / (share * (1.0 - share))
    for _ in range(8):  # the more people, the less their skewness matters
        reach = Z_LEVEL + _z_power(spread, share * wanted)
        wanted = (reach * spread.unexplained_minor / effect_minor) ** 2 / (share * (1.0 - share))
    return max(math.ceil(wanted), persons_to_read(share))


def persons_to_read(share: float) -> int:
    """Return how many people must enter until each arm may be expected to hold ``MIN_ARM_PERSONS``."""
    return math.ceil(MIN_ARM_PERSONS / min(share, 1.0 - share))


def expected_cost(worked: WorkedPersons, share: float, entering: float) -> ExpectedCost:
    """Return what leaving a share of people alone is expected to cost, one contact each.

    Args:
        worked: would-be-worked people of rankings; their mean stands for those who enter.
        share: chance of being left alone.
        entering: people expected to enter.
    """
    if not worked.count:
        return ExpectedCost(0, 0, 0, 0)
    surplus, increment = worked.surplus_minor.astype(np.float64), worked.increment_minor.astype(np.float64)
    mean = share * entering * float(surplus.mean())
    # Sum of independent draws share(1 - share) s^2, for as many people as enter.
    spread = math.sqrt(share * (1.0 - share) * entering * float((surplus**2).mean())) * Z_LEVEL
    return ExpectedCost(
        round(mean), round(mean - spread), round(mean + spread), round(share * entering * float(increment.mean()))
    )


def plan_experiment(
    spread: OutcomeSpread, worked: WorkedPersons, share: float, entering: int, wanted_effect_minor: float | None = None
) -> ExperimentPlan:
    """Return what an experiment can show and what it costs.

    Args:
        spread: of outcomes within the horizon.
        worked: would-be-worked people in scope.
        share: chance of being left alone, above 0, at most a half.
        entering: people expected to enter within its days.
        wanted_effect_minor: effect per person that it should find, None for none.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault.
    """
    check_spread(spread)
    if not 0 < share <= 0.5:
        raise refuse(Reason.INVALID_ARGUMENT, "share", f"is {share}.", "Send a share above 0, at most 0.5, such as 0.05.")
    readable = entering >= persons_to_read(share)
    return ExperimentPlan(
        entering_count=entering,
        held_out_count=round(share * entering),
        detectable_minor=detectable_minor(spread, share, entering) if readable else None,
        needed_count=persons_needed(spread, share, wanted_effect_minor) if wanted_effect_minor is not None else 0,
        cost=expected_cost(worked, share, entering),
    )


def entering_persons(by_ranking: list[int], days: int, duration_days: int) -> int:
    """Return how many people are expected to enter an experiment: those there at once, and new ones at the pace of the past.

    Args:
        by_ranking: people who would be worked and were not before, per past ranking in order; at least one.
        days: days from the first of these rankings to the last.
        duration_days: days that the experiment lasts.
    """
    pace = sum(by_ranking[1:]) / days if days > 0 else 0.0
    return round(by_ranking[0] + pace * (duration_days - 1))
