"""Make a list respect its side rows: branch and bound over the split accounts and those that prices decide most narrowly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt.python import mathopt

from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.native_output import native_output_to_stderr
from collections_opt.solvers.pricing.instance import Instance, Ints, losses_of, tally

CORE_ROWS = 300
NODES = 100
_LENT_SECONDS = 600


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
    then fills every queue to the second. What is left are rows of counts, whose relaxation is all but whole: HiGHS as a rule
    proves the optimum at the root.

    Returns ``choice`` itself if no list of the core respects the hard limits within the limit on nodes.
    """
    m = instance.queues
    others = choice.copy()
    others[core] = UNASSIGNED
    left = instance.limit - tally(instance, others)[1]
    rows, queues = np.nonzero(losses_of(instance, prices, core)[:, :m] <= reach)
    accounts = core[rows]
    seconds, group = instance.seconds[accounts, queues].astype(np.float64), instance.group[accounts]
    model = mathopt.Model()
    picks = np.array([model.add_binary_variable() for _ in rows], dtype=object)

    def bound(members: Ints, weights: NDArray[np.float64], most: float, short: mathopt.Variable | float = 0.0) -> None:
        load = mathopt.fast_sum(w * x for w, x in zip(weights[members].tolist(), picks[members], strict=True))
        model.add_linear_constraint(load - short <= most)

    for start, stop in zip(*(np.searchsorted(rows, np.arange(len(core)) + side) for side in (0, 1)), strict=True):
        if start < stop:
            bound(np.arange(start, stop), np.ones(len(rows)), 1.0)
    for q in range(m):
        bound(np.flatnonzero(queues == q), seconds, float(left[q] + (_LENT_SECONDS if prices[q] > 0 else 0)))
    shorts = []
    for k, table in enumerate(instance.table):
        weights = table[group, queues].astype(np.float64)
        most_short = max(0, -int(left[m + k])) if instance.elastic[m + k] else 0
        shorts.append(model.add_variable(lb=0.0, ub=float(most_short)))
        bound(np.flatnonzero(weights), weights, float(left[m + k]), shorts[-1])
    worth = instance.value[accounts, queues] - prices[queues] / PRICE_SCALE * seconds
    gain = mathopt.fast_sum(w * x for w, x in zip(worth.tolist(), picks, strict=True))
    model.maximize(gain - float(penalty_minor) * mathopt.fast_sum(shorts))
    with native_output_to_stderr():
        found = mathopt.solve(model, mathopt.SolverType.HIGHS, params=_parameters(deadline))
    deadline.expired()
    if not found.has_primal_feasible_solution():
        return choice
    picked = np.array([found.variable_values(pick) > 0.5 for pick in picks], dtype=np.bool_)
    others[accounts[picked]] = queues[picked]
    return others


def _parameters(deadline: Deadline) -> mathopt.SolveParameters:
    return mathopt.SolveParameters(
        random_seed=1,
        node_limit=NODES,
        relative_gap_tolerance=0.0,
        absolute_gap_tolerance=0.5,
        time_limit=deadline.left(),
    )
