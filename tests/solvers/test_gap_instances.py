"""Public instances with known optima: the bound never passes the optimum, and small ones are solved to proof."""

from __future__ import annotations

import pytest

from collections_opt.core.problem.assignment import SolveOptions, Termination
from collections_opt.solvers import SOLVERS, verify
from tests.support.solving.gap_files import instances

INSTANCES = instances()


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("gap", INSTANCES, ids=[gap.name for gap in INSTANCES])
def test_bound_and_optimum(name, gap):
    answer = SOLVERS[name](gap.problem, SolveOptions())
    check = verify(gap.problem, answer)
    assert check.ok
    assert gap.cost_bound(check.bound_minor) <= gap.optimum
    assert gap.cost_bound(answer.bound_minor) <= gap.optimum
    if (answer.queue >= 0).all():
        assert gap.cost_bound(answer.objective_minor) >= gap.optimum
    if name != "greedy":
        assert answer.termination is Termination.OPTIMAL
        assert gap.cost_bound(answer.objective_minor) == gap.optimum
