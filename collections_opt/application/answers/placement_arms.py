"""Whom experiments leave alone among placed accounts: persons of the ranking as it recorded, others as its salts draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.experiments.arms import protected_persons
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.placement import Placements
from collections_opt.core.ranking.ranking import Disposition

Mask = NDArray[np.bool_]


def left_alone(opened: OpenedRanking, portfolio: Portfolio, rows: NDArray[np.int64]) -> Mask:
    """Return accounts whose persons are left alone, bool (m,); whom the law protects by now is not.

    Args:
        opened: the ranking.
        portfolio: m accounts.
        rows: int64 (m,) row of each in the ranking, -1 for one that it does not hold.
    """
    entries = opened.entries
    if entries.arm is None:
        return np.zeros(rows.size, dtype=bool)
    drawn = opened.facts.inputs.running.arms(portfolio)
    alone = np.zeros(rows.size, dtype=bool) if drawn is None else drawn.held_out
    customer, mine = opened.portfolio.column("customer_id"), portfolio.column("customer_id")
    known = (mine != b"") & np.isin(mine, customer)
    theirs = np.isin(mine, np.unique(customer[entries.held_out & (customer != b"")]))
    alone = np.where(rows >= 0, entries.held_out[rows], np.where(known, theirs, alone))
    return np.asarray(alone & ~protected_persons(portfolio), dtype=bool)


def hold_back(placements: Placements, alone: Mask) -> Placements:
    """Return placements in which persons left alone are in no queue; who may not be contacted anyway is told that."""
    if not alone.any():
        return placements
    told = alone & (placements.disposition != Disposition.INELIGIBLE)
    return replace(
        placements,
        disposition=np.where(told, int(Disposition.HELD_OUT), placements.disposition).astype(np.uint8),
        queue=np.where(alone, UNASSIGNED, placements.queue).astype(np.int16),
    )
