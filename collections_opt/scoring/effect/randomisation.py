"""Whether recorded chances can have made the contacts they stand beside: a confounded log must not pass for an experiment.

Held against the draw is only what was known before the arm that it drew could act. A row with a recorded chance claims that: what
was known of the account that morning had no part in whether it was contacted. Where one draw holds for months, this is true of a
person's first row alone, for afterwards contact itself has changed what is known; later rows come without a chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from collections_opt.core.errors import Reason, refuse
from collections_opt.scoring.effect.rows import LoggedContacts

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SMALLEST_P_VALUE = 1e-4
"""An honest log is refused as an experiment about this often; all its tests share it alike."""

MIN_QUEUE_ARM_ROWS = 200
"""Contacted and held-out rows that a queue needs for a test of its own."""

MIN_PERIOD_ARM_ROWS = 50
"""Contacted and held-out rows that a period needs for a test of its own, over all queues: a draw may break in one month."""


@dataclass(frozen=True)
class BalanceTest:
    """A chi-square test of H0: contact was drawn by the recorded chances, whatever the account.

    Attributes:
        statistic: quadratic form of the covariates of contacted minus expected.
        degrees: of freedom.
        p_value: chance of a larger statistic under H0.
        worst: name of the covariate furthest out.
        worst_z: its z-score.
    """

    statistic: float
    degrees: int
    p_value: float
    worst: str
    worst_z: float


def balance(contacted: Mask, chance: Floats, covariates: Floats, names: tuple[str, ...], unit: NDArray[np.int64]) -> BalanceTest:
    """Test sum (T - e) x against its known variance, sum e (1 - e) x x' over what was drawn.

    Where no unit has rows of both arms it was units that were drawn, a person with all accounts: then e is that of the unit and x
    the sum over its rows. Else each row was.

    Args:
        contacted: T, (n,).
        chance: e, (n,).
        covariates: x, (n, k), the intercept among them.
        names: of the covariates.
        unit: number of the person and period of each row, (n,), 0 on.
    """
    rows, reached = np.bincount(unit), np.bincount(unit, weights=contacted)
    drawn = np.where(((reached > 0) & (reached < rows)).any(), np.arange(unit.size), unit)
    first = np.unique(drawn, return_index=True)[1]
    place = np.searchsorted(drawn[first], drawn)
    x = np.column_stack([np.bincount(place, weights=column, minlength=first.size) for column in covariates.T])
    arm, e = contacted[first], chance[first]
    total = x.T @ (arm - e)
    variance = x.T @ ((e * (1.0 - e))[:, np.newaxis] * x)
    inverse, rank = np.linalg.pinv(variance, hermitian=True), int(np.linalg.matrix_rank(variance, hermitian=True))
    statistic = float(total @ inverse @ total)
    z = total / np.sqrt(np.maximum(np.diag(variance), 1e-300))
    worst = int(np.argmax(np.abs(z)))
    return BalanceTest(statistic, rank, float(chdtrc(rank, statistic)), names[worst], float(z[worst]))


def check_draws(
    contacts: LoggedContacts, covariates: Floats, names: tuple[str, ...], queue_ids: Sequence[str]
) -> dict[str, BalanceTest]:
    """Return a test per queue with enough rows that were drawn, by its id, and one per period, as "period 1" on.

    Args:
        contacts: rows of a log.
        covariates: x, (n, k), of all rows, the intercept among them.
        names: of the covariates.
        queue_ids: of the plan.

    Raises:
        CollectionsError: INVALID_ARGUMENT where the recorded chances cannot have made the contacts, naming the covariate that
            is furthest out.
    """
    log = contacts.log
    queues = {name: (log.queue == index, MIN_QUEUE_ARM_ROWS) for index, name in enumerate(queue_ids)}
    months = range(int(contacts.period.max(initial=-1)) + 1)
    periods = {f"period {index + 1}": (contacts.period == index, MIN_PERIOD_ARM_ROWS) for index in months}
    unit = np.unique(
        np.unique(contacts.person, return_inverse=True)[1] * (len(months) + 1) + contacts.period, return_inverse=True
    )[1]
    tests = {}
    for name, (rows, least) in (queues | periods).items():
        mine = rows & log.randomised
        if min(int((mine & log.contacted).sum()), int((mine & ~log.contacted).sum())) >= least:
            tests[name] = balance(log.contacted[mine], log.propensity[mine], covariates[mine], names, unit[mine])
    for name, test in tests.items():
        _check(name, test, SMALLEST_P_VALUE / len(tests))
    return tests


def _check(name: str, test: BalanceTest, smallest: float) -> None:
    if test.p_value < smallest:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"propensity[{name}]",
            f"contacted and held-out accounts differ in {test.worst} (z = {test.worst_z:.1f}, p = {test.p_value:.1e}): "
            "the recorded propensities cannot have made these contacts.",
            "Leave the propensity of rows that the desk chose empty; they are an observational log. Where one draw holds for "
            "months, so are a person's rows after the first.",
        )
