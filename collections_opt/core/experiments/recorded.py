"""Experiments as a ranking names them, and what follows for whoever is in them: what is offered, and with which chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.experiments.arms import Arm, Arms, arms_of
from collections_opt.core.experiments.design import SHARE_SCALE, ArmKind, ExperimentDesign
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, AssignmentProblem
from collections_opt.core.problem.exploration import Exploration, propensities_nano


@dataclass(frozen=True)
class RunningExperiments:
    """The experiments that a plan's ranking of a portfolio is part of, in the order of their ids."""

    portfolio_id: str
    designs: tuple[ExperimentDesign, ...]
    plan_id: str = ""

    @property
    def other_plan_id(self) -> str:
        """Where two plans share the work, the one that works whom this one does not; "" where none do."""
        shared = (design for design in self.designs if design.arm is ArmKind.TWO_PLANS)
        return next((design.other_plan(self.plan_id) for design in shared), "")

    def arms(self, portfolio: Portfolio, queue_ids: Sequence[str] | None = None) -> Arms | None:
        """Return the arms of the portfolio's accounts, None without an experiment; ``queue_ids`` as ``arms_of``."""
        return arms_of(portfolio, self.portfolio_id, self.designs, queue_ids, self.plan_id)


NO_EXPERIMENTS = RunningExperiments("", ())


def offered(problem: AssignmentProblem, arms: Arms | None) -> AssignmentProblem:
    """Return the problem in which who is left alone, or worked by another plan, may go nowhere, and whose queue is drawn there
    alone; minutes stay."""
    if arms is None or not (arms.kept_out.any() or arms.rows.size):
        return problem
    value = problem.value.copy()
    value[np.flatnonzero(arms.kept_out)] = INELIGIBLE
    value[arms.rows] = only_drawn(value[arms.rows], arms.drawn_queues(value[arms.rows] != INELIGIBLE))
    return replace(problem, value=value)


def only_drawn(value: NDArray[np.int32], queue: NDArray[np.int16]) -> NDArray[np.int32]:
    """Return increments int32 (r, q) in which all but the queue of each row, int16 (r,), -1 for none, may not work it."""
    kept = np.arange(value.shape[1]) == queue[:, np.newaxis]
    return np.where(kept, value, INELIGIBLE).astype(value.dtype)


def drawable(problem: AssignmentProblem, arms: Arms | None) -> AssignmentProblem:
    """Return the offered problem without whoever is in an experiment that draws queues: a reserve draws nobody of them."""
    if arms is None or not arms.draws_queues.any():
        return problem
    value = problem.value.copy()
    value[np.flatnonzero(arms.of_queues)] = INELIGIBLE
    return replace(problem, value=value)


@dataclass(frozen=True)
class QueuesOpen:
    """Of each account: in how many queues it may be worked, and in how many it is worth its minutes; int64 (n,) each."""

    eligible: NDArray[np.int64]
    paid: NDArray[np.int64]

    @classmethod
    def none(cls, count: int) -> QueuesOpen:
        """Return that nothing is known of accounts yet, to be filled."""
        return cls(np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))


def with_draws(
    plain: NDArray[np.int64],
    arms: Arms,
    problem: AssignmentProblem,
    exploration: Exploration | None,
    decided: Sequence[NDArray[np.int16]],
    queues: QueuesOpen,
) -> NDArray[np.int64]:
    """Return int64 (n,) in 1e-9: the chance of each account's decision over the draws of experiments too.

    With a chance h a person is left alone; else the policy decides as ``plain`` says. Who is left alone would have been with that
    chance in either case, so not being contacted has the chance h + (1 - h) P(not contacted | not left alone).

    Where queues are drawn, a person is drawn with the chance h, and then each of k eligible queues with the chance 1 / k: worked
    there if it is worth its minutes there, else nowhere. So a decision has the chance h m / k over the m queues that lead to it,
    and 1 - h more where prices choose it too. That other people's draws move the prices a little is neglected.

    Where two plans share the work, the chance is the plan's own: that of its decision about whoever belongs to it, and 1 for
    whoever does not.

    Args:
        plain: chance of each decision given the arm.
        arms: of the accounts.
        problem: the whole one, before anybody was left out.
        exploration: accounts drawn for contact, None without a reserve.
        decided: int16 (n,) the queue taken, and the queue that prices choose for whoever is not drawn.
        queues: of the accounts.
    """
    taken, intended = decided
    nobody = np.full(taken.size, UNASSIGNED, dtype=np.int16)
    if exploration is None:
        alone = np.where(intended == UNASSIGNED, SHARE_SCALE, 0).astype(np.int64)
    else:
        alone = propensities_nano(problem, exploration, intended, nobody)
    chance = arms.chance_nano
    given = np.where(arms.held_out, alone, plain)
    shared = (SHARE_SCALE - chance) * given // SHARE_SCALE
    alone_or_not = shared + np.where(taken == UNASSIGNED, chance, 0)
    drawn = arms.arm == Arm.RANDOM_QUEUE
    leading = np.where(taken == UNASSIGNED, queues.eligible - queues.paid, (drawn | (taken == intended)).astype(np.int64))
    leading = np.where(drawn, np.maximum(leading, 1), leading)
    as_priced = np.where(drawn & (taken != intended), 0, SHARE_SCALE - chance)
    by_queue = np.where(queues.eligible == 0, SHARE_SCALE, as_priced + chance * leading // np.maximum(queues.eligible, 1))
    return np.select([arms.experiment == 0, arms.of_queues], [plain, by_queue], alone_or_not).astype(np.int64)
