"""How much of the money that effects state is found on randomised rows: weights measured account by account need not hold where
the money is.

An average over accounts says how strong contact is for the many. The money of a list lies with the few who owe most, and with
those whom the estimates find most movable. So what the served change promises of the owed money, and what the drawn contacts
found of it (doubly robust), are added up over the rows that a list would rather work, and their ratio is kept:

    k = sum_i b_i psi_i / sum_i b_i t_i,    psi, t of p_cure - p_default, b the balance

Predictions are by models that the row's person was not among, so that whatever a choice by noisy estimates adds is in k too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FEATURE_NAMES
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.value.effects import MoneyScale
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.effect import doubly_robust
from collections_opt.scoring.effect.experiment import CrossFitted
from collections_opt.scoring.effect.residual.level import clustered
from collections_opt.scoring.effect.rows import LoggedContacts

Floats = NDArray[np.float64]

PREFERRED = 0.5
"""Share of the rows, those that promise most money per minute, on which the scale is measured."""

LARGEST = 0.95
"""Balances count up to this quantile of the rows': a few very large ones would decide alone."""


def money_scale(rows: LoggedContacts, made: CrossFitted, plan: CapacityPlan) -> MoneyScale | None:
    """Return the scale on randomised rows; None where nothing promises money.

    Args:
        rows: the randomised rows, each with the queue that was meant to work it.
        made: cross-fitted predictions of the rows, as served.
        plan: its handling times say what a minute of a queue promises.
    """
    owed = np.expm1(rows.features[:, FEATURE_NAMES.index("balance")].astype(np.float64))
    owed = np.minimum(owed, np.quantile(owed, LARGEST))
    promised = owed * _kept(made.under - made.without)
    psi = {outcome: _scores(rows, made, outcome) for outcome in (CURE, DEFAULT)}
    found = owed * (psi[CURE] - psi[DEFAULT])
    minutes = np.array([float(q.handling_minutes(np.array([q.effect.right_party_contact_rate]))[0]) for q in plan.queues])
    density = promised / minutes[rows.log.queue]
    chosen = (density >= np.quantile(density, 1.0 - PREFERRED)) & (promised > 0)
    total = float(promised[chosen].sum())
    if total <= 0:
        return None
    scale = float(found[chosen].sum()) / total
    moved = np.where(chosen, found - scale * promised, 0.0)[:, np.newaxis] / total
    return MoneyScale(scale, float(np.sqrt(clustered(moved, rows.person)[0, 0])))


def _kept(change: Floats) -> Floats:
    return np.asarray(change[:, CURE] - change[:, DEFAULT], dtype=np.float64)


def _scores(rows: LoggedContacts, made: CrossFitted, outcome: int) -> Floats:
    happened = (rows.log.outcome == outcome).astype(np.float64)
    return doubly_robust.scores(
        rows.log.contacted, rows.log.propensity, happened, made.without[:, outcome], made.under[:, outcome]
    )
