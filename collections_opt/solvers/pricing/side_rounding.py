"""Make a list respect its side rows: CP-SAT over the split accounts and those that prices decide most narrowly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from collections_opt.core.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.pricing.instance import Instance, Ints, losses_of, tally

CORE_ROWS = 300
_FINE = 64
_LENT_SECONDS = 600
DETERMINISTIC_TIME = 0.6


def _price_of_time(instance: Instance, prices: Ints, rows: Ints, queues: Ints) -> Ints:
    time = instance.seconds[rows, queues].astype(np.float64)
    return np.rint(prices[queues] / PRICE_SCALE * time * _FINE).astype(np.int64)


def round_side_rows(
    instance: Instance,
    prices: Ints,
    choice: NDArray[np.int16],
    core: Ints,
    reach: int,
    penalty_minor: int,
    deadline: Deadline,
) -> NDArray[np.int16]:
    """Choose again for the accounts of ``core`` so that all side rows hold, at the highest value; floors may stay short.

    Time is charged at its price and a queue may be over by some minutes: the chain program, which leaves side rows alone,
    then fills every queue to the second.

    Returns ``choice`` itself if no list of the core respects the hard limits within the deterministic time.
    """
    m = instance.queues
    others = choice.copy()
    others[core] = UNASSIGNED
    left = instance.limit - tally(instance, others)[1]
    rows, queues = np.nonzero(losses_of(instance, prices, core)[:, :m] <= reach)
    value = instance.value[core[rows], queues].tolist()
    group = instance.group[core[rows]]
    model = cp_model.CpModel()
    picks = [model.new_bool_var("") for _ in value]
    for i in range(len(core)):
        model.add_at_most_one(picks[j] for j in range(*np.searchsorted(rows, [i, i + 1]).tolist()))
    for q in range(m):
        inside = np.flatnonzero(queues == q)
        seconds = instance.seconds[core[rows[inside]], q].tolist()
        load = cp_model.LinearExpr.weighted_sum([picks[j] for j in inside], seconds)
        model.add(load <= int(left[q]) + (_LENT_SECONDS if prices[q] > 0 else 0))
    shorts = []
    for k, table in enumerate(instance.table):
        weight = table[group, queues].tolist()
        short = model.new_int_var(0, max(0, int(-left[m + k])) if instance.elastic[m + k] else 0, "")
        model.add(cp_model.LinearExpr.weighted_sum(picks, weight) - short <= int(left[m + k]))
        shorts.append(short)
    for j, (i, q) in enumerate(zip(rows.tolist(), queues.tolist(), strict=True)):
        model.add_hint(picks[j], int(choice[core[i]]) == q)
    worth = (
        _FINE * instance.value[core[rows], queues].astype(np.int64) - _price_of_time(instance, prices, core[rows], queues)
    ).tolist()
    model.maximize(cp_model.LinearExpr.weighted_sum(picks, worth) - _FINE * penalty_minor * cp_model.LinearExpr.sum(shorts))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = DETERMINISTIC_TIME
    time_left = deadline.left()
    if time_left is not None:
        solver.parameters.max_time_in_seconds = time_left.total_seconds()
    status = solver.solve(model)
    deadline.expired()
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return choice
    picked = np.array([solver.boolean_value(pick) for pick in picks], dtype=np.bool_)
    others[core[rows[picked]]] = queues[picked]
    return others
