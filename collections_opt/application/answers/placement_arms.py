"""Whom experiments keep out among placed accounts, and where they send others: as recorded, else as salts draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.experiments.arms import Arm, drawn_queues, person_keys, protected_persons, queue_points
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.experiments.recorded import only_drawn
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, AssignmentProblem
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


def worked_elsewhere(opened: OpenedRanking, portfolio: Portfolio, rows: NDArray[np.int64]) -> Mask:
    """Return accounts whose persons the other of two plans works, bool (m,), protected or not; arguments as ``left_alone``."""
    drawn = opened.facts.inputs.running.arms(portfolio)
    if drawn is None:
        return np.zeros(rows.size, dtype=bool)
    return np.asarray(np.where(rows >= 0, opened.entries.of_other_plan[rows], drawn.of_other_plan), dtype=bool)


def in_drawn_queues(
    opened: OpenedRanking, portfolio: Portfolio, rows: NDArray[np.int64], problem: AssignmentProblem
) -> AssignmentProblem:
    """Return the problem in which accounts whose queue an experiment draws may go there alone, but whom the law protects by now.

    Args:
        opened: the ranking.
        portfolio: m accounts.
        rows: int64 (m,) row of each in the ranking, -1 for one that it does not hold.
        problem: of the accounts, in the queues of the ranking's plan.
    """
    entries, named = opened.entries, opened.facts.inputs.experiments
    if entries.arm is None or entries.experiment is None or not any(one.design.arm is ArmKind.RANDOM_QUEUE for one in named):
        return problem
    among = tuple(queue.queue_id for queue in opened.plan.queues)
    arms = opened.facts.inputs.running.arms(portfolio, among)
    assert arms is not None
    known = (portfolio.column("customer_id") != b"") & np.isin(
        portfolio.column("customer_id"), opened.portfolio.column("customer_id")
    )
    drawn = np.where(rows >= 0, entries.arm[rows], np.where(known, 0, arms.arm)) == Arm.RANDOM_QUEUE
    number = np.where(rows >= 0, entries.experiment[rows], arms.experiment)
    drawn &= ~protected_persons(portfolio)
    value, person = problem.value.copy(), person_keys(portfolio)
    for at, one in enumerate(named, start=1):
        mine = np.flatnonzero(drawn & (number == at))
        points = queue_points(one.design.salt, person[mine], among)
        value[mine] = only_drawn(value[mine], drawn_queues(points, value[mine] != INELIGIBLE))
    return replace(problem, value=value)


def hold_back(placements: Placements, alone: Mask, elsewhere: Mask) -> Placements:
    """Return placements in which persons left alone, or worked by another plan, are in no queue.

    Who may not be contacted anyway is told that, but for whoever belongs to another plan: it is for that plan to say.
    """
    if not (alone.any() or elsewhere.any()):
        return placements
    told = alone & (placements.disposition != Disposition.INELIGIBLE)
    said = np.where(told, int(Disposition.HELD_OUT), placements.disposition)
    return replace(
        placements,
        disposition=np.where(elsewhere, int(Disposition.OTHER_PLAN), said).astype(np.uint8),
        queue=np.where(alone | elsewhere, UNASSIGNED, placements.queue).astype(np.int16),
    )
