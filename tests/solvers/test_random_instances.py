"""Random small instances against an exact solver of another kind: no bound below the optimum, every gap as claimed.

``make random-instances`` runs 500 of them; the suite runs some.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from ortools.sat.python import cp_model

from collections_opt.core.problem.assignment import AssignmentProblem, SolveOptions, Termination
from collections_opt.solvers import SOLVERS, verify
from tests.support.solving.instances import small_random, with_persons

COUNT = int(os.environ.get("COLLECTIONS_OPT_RANDOM_INSTANCES", "40"))


def instance(seed: int) -> AssignmentProblem:
    """Sizes, ties, tightness, side rows and persons all vary with the seed."""
    rng = np.random.default_rng(seed)
    problem = small_random(rng, int(rng.integers(1, 26)), int(rng.integers(1, 6)), side=bool(seed % 2))
    return with_persons(problem, seed, float(rng.uniform(0.3, 1.0))) if seed % 4 >= 2 else problem


def optimum(problem: AssignmentProblem) -> int | None:
    """Return the proven optimum by CP-SAT, None if the floors cannot be met."""
    model = cp_model.CpModel()
    rows, columns = np.nonzero(problem.value > 0)
    picks = [model.new_bool_var("") for _ in rows]
    owner = np.arange(problem.account_count) if problem.persons is None else problem.persons.of
    for person in np.unique(owner):
        model.add_at_most_one(picks[j] for j in np.flatnonzero(owner[rows] == person))
    for q, capacity in enumerate(problem.capacity_seconds.tolist()):
        model.add(sum(int(problem.seconds[rows[j], q]) * picks[j] for j in np.flatnonzero(columns == q)) <= capacity)
    if problem.side is not None:
        weights = problem.side.table[:, problem.side.group[rows], columns]
        for weight, limit in zip(weights.tolist(), problem.side.limit.tolist(), strict=True):
            model.add(sum(a * x for a, x in zip(weight, picks, strict=True)) <= limit)
    model.maximize(sum(int(problem.value[i, q]) * x for i, q, x in zip(rows, columns, picks, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    assert status in {cp_model.OPTIMAL, cp_model.INFEASIBLE}
    return round(solver.objective_value) if status == cp_model.OPTIMAL else None


@pytest.mark.parametrize("name", ["pricing", "exact", "greedy"])
@pytest.mark.parametrize("seed", range(COUNT))
def test_no_bound_is_below_the_optimum_and_every_gap_is_as_claimed(name, seed):
    problem = instance(seed)
    best = optimum(problem)
    answer = SOLVERS[name](problem, SolveOptions())
    check = verify(problem, answer)
    assert check.findings == ()
    worked = np.flatnonzero(answer.queue >= 0)
    assert answer.objective_minor == int(problem.value[worked, answer.queue[worked]].sum())
    assert answer.gap == (answer.bound_minor - answer.objective_minor) / max(answer.bound_minor, 1)
    if best is None:
        assert answer.shortages
        return
    assert answer.bound_minor >= best
    assert check.bound_minor >= best
    if not answer.shortages:
        assert answer.objective_minor <= best
    if name != "greedy":
        assert not answer.shortages
    if answer.termination is Termination.OPTIMAL:
        assert answer.objective_minor == best
