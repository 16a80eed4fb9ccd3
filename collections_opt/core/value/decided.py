"""What a list predicts of its accounts: chances with what contact in their queue does, how often it reaches them, its cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.value.effects import ContactEffects, at_attempts
from collections_opt.core.value.payoffs import CostBasis, Floats, ValueParameters
from collections_opt.core.value.valuation import blocks, contacted_probability


@dataclass(frozen=True)
class DecidedChances:
    """What is predicted of n accounts under one list.

    Attributes:
        without: float64 (n, 3) chances without contact, by outcome code.
        decided: float64 (n, 3) the same with contact, of accounts that a queue works.
        rpc_rate: float64 (n,) chance that the right party is reached; 0 where nobody calls.
        cost: float64 (n,) minor units that contact is expected to cost; 0 where nobody calls.
    """

    without: Floats
    decided: Floats
    rpc_rate: Floats
    cost: Floats


def decided_chances(
    without: Floats,
    effects: ContactEffects,
    plan: CapacityPlan,
    parameters: ValueParameters,
    queue: NDArray[np.int16],
    attempts: NDArray[np.uint8] | None = None,
) -> DecidedChances:
    """Return what is predicted of accounts as a list decides about them.

    Args:
        without: float64 (n, 3) chances without contact.
        effects: of the accounts.
        plan: queues, their times and costs.
        parameters: which cost per minute enters.
        queue: int16 (n,) queue that works each account, ``UNASSIGNED`` for none.
        attempts: uint8 (n,) attempts offered where budgets leave fewer than the queue makes, 0 where all are; None for all.
    """
    decided, rate, cost = without.copy(), np.zeros(queue.size), np.zeros(queue.size)
    for rows in blocks(queue.size):
        for index in np.unique(queue[rows][queue[rows] != UNASSIGNED]).tolist():
            desk = plan.queues[index]
            offered = None if attempts is None else attempts[rows]
            mine = np.flatnonzero(queue[rows] == index)
            effect = at_attempts(effects.block(rows, index, without[rows]), desk.attempts, offered).take(mine)
            at = rows.start + mine
            decided[at] = contacted_probability(without[at], effect)
            rate[at] = effect.rpc_rate
            loaded = parameters.cost_basis is CostBasis.LOADED
            per_minute = desk.loaded_cost_per_minute_minor if loaded else desk.variable_cost_per_minute_minor
            cost[at] = per_minute * effect.handling_minutes(desk) + desk.channel_fee_minor
    return DecidedChances(without, decided, rate, cost)
