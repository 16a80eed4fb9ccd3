"""Whether recorded chances can have made the contacts they stand beside: a confounded log must not pass for an experiment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from collections_opt.core.errors import Reason, refuse

Floats = NDArray[np.float64]

SMALLEST_P_VALUE = 1e-4
"""Below this a log is refused as an experiment; an honest one is refused once in ten thousand times."""


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


def balance(contacted: NDArray[np.bool_], chance: Floats, covariates: Floats, names: tuple[str, ...]) -> BalanceTest:
    """Test sum (T - e) x against its known variance sum e (1 - e) x x'.

    Args:
        contacted: T, (n,).
        chance: e, (n,).
        covariates: x, (n, k), the intercept among them.
        names: of the covariates.
    """
    total = covariates.T @ (contacted - chance)
    variance = covariates.T @ ((chance * (1.0 - chance))[:, np.newaxis] * covariates)
    inverse, rank = np.linalg.pinv(variance, hermitian=True), int(np.linalg.matrix_rank(variance, hermitian=True))
    statistic = float(total @ inverse @ total)
    spread = np.sqrt(np.maximum(np.diag(variance), 1e-300))
    z = total / spread
    worst = int(np.argmax(np.abs(z)))
    return BalanceTest(statistic, rank, float(chi2.sf(statistic, rank)), names[worst], float(z[worst]))


def check_randomised(test: BalanceTest, queue_id: str) -> None:
    """Refuse a log whose contacts the recorded chances cannot have made.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming the covariate furthest out.
    """
    if test.p_value < SMALLEST_P_VALUE:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"propensity[{queue_id}]",
            f"contacted and held-out accounts differ in {test.worst} (z = {test.worst_z:.1f}, p = {test.p_value:.1e}): "
            "the recorded propensities cannot have made these contacts.",
            "Leave the propensity of rows that the desk chose empty; they are an observational log.",
        )
