"""How much of the money that effects state is found on randomised rows: weights measured account by account need not hold where
the money is.

An average over accounts says how strong contact is for the many. The money of a list lies with the few who owe most. So what the
served change promises of the owed money, and what the drawn contacts found of it (doubly robust), are added up over the
randomised rows, and their ratio is kept, of cure and of default apart, since a list is worth so much of one and so much of the
other as its payoffs say:

    k_o = sum_i b_i psi_io / sum_i b_i t_io,    b the balance;    of a list that promises M_o:  sum_o M_o k_o / sum_o M_o

Predictions are by models that the row's person was not among. All rows count: those alone that promise most would measure a list
more nearly, and with half as many rows were further from the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FEATURE_NAMES
from collections_opt.core.value.effects import MoneyScale
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.effect import doubly_robust
from collections_opt.scoring.effect.experiment import CrossFitted
from collections_opt.scoring.effect.residual.level import clustered
from collections_opt.scoring.effect.rows import LoggedContacts

Floats = NDArray[np.float64]

LARGEST = 0.95
"""Balances count up to this quantile of the rows': a few very large ones would decide alone."""


@dataclass(frozen=True)
class MoneyScales:
    """The scales of the money that changes of p_cure and of p_default promise.

    Attributes:
        cure: 1 where all of it was found, 0 where none was.
        default: likewise.
        covariance: of the two, (2, 2), clustered by person.
    """

    cure: float
    default: float
    covariance: tuple[tuple[float, float], tuple[float, float]]

    @property
    def named(self) -> dict[str, MoneyScale]:
        """Each by its outcome."""
        errors = [float(np.sqrt(self.covariance[index][index])) for index in range(2)]
        return {"cure": MoneyScale(self.cure, errors[0]), "default": MoneyScale(self.default, errors[1])}

    def of(self, promised: Floats) -> MoneyScale | None:
        """Return the scale of money that is promised so much by cure and so much by default, float64 (2,); None of none."""
        total = float(promised.sum())
        if total <= 0:
            return None
        share = promised / total
        variance = float(share @ np.array(self.covariance) @ share)
        return MoneyScale(float(share @ [self.cure, self.default]), float(np.sqrt(max(variance, 0.0))))


def money_scales(rows: LoggedContacts, made: CrossFitted) -> MoneyScales | None:
    """Return the scales on randomised rows; None where nothing promises money.

    Args:
        rows: the randomised rows, each with the queue that was meant to work it.
        made: cross-fitted predictions of the rows, as served.
    """
    owed = np.expm1(rows.features[:, FEATURE_NAMES.index("balance")].astype(np.float64))
    owed = np.minimum(owed, np.quantile(owed, LARGEST))
    change = made.under - made.without
    if float((owed * (change[:, CURE] - change[:, DEFAULT])).sum()) <= 0:
        return None
    scales, moved = np.ones(2), np.zeros((owed.size, 2))
    for place, outcome in enumerate((CURE, DEFAULT)):
        promised, found = owed * change[:, outcome], owed * _scores(rows, made, outcome)
        total = float(promised.sum())
        if total:
            scales[place] = float(found.sum()) / total
            moved[:, place] = (found - scales[place] * promised) / total
    (first, both), (_, second) = clustered(moved, rows.person).tolist()
    return MoneyScales(float(scales[0]), float(scales[1]), ((first, both), (both, second)))


def _scores(rows: LoggedContacts, made: CrossFitted, outcome: int) -> Floats:
    happened = (rows.log.outcome == outcome).astype(np.float64)
    return doubly_robust.scores(
        rows.log.contacted, rows.log.propensity, happened, made.without[:, outcome], made.under[:, outcome]
    )
