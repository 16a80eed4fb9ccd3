"""The default solver is the one that suits the size: what holds of that one, on whatever threads, holds of it."""

import numpy as np
import pytest

from collections_opt import solvers
from collections_opt.core.problem.assignment import SolveOptions, ignore_progress
from collections_opt.solvers import EXACT_ACCOUNTS, solve_default
from tests.support.solving.instances import problem_of


@pytest.mark.parametrize(("accounts", "suits"), [(EXACT_ACCOUNTS, "solve_exact"), (EXACT_ACCOUNTS + 1, "solve_pricing")])
def test_all_that_was_given_goes_to_the_solver_that_suits_and_its_answer_comes_back(accounts, suits, monkeypatch):
    problem, options, asked = problem_of(np.full((accounts, 1), 7), np.full((accounts, 1), 2), [9]), SolveOptions(threads=3), []
    for name in ("solve_exact", "solve_pricing"):
        monkeypatch.setattr(solvers, name, lambda *given, name=name: asked.append((name, *given)) or name)
    assert solve_default(problem, options, ignore_progress) == suits
    (told,) = asked
    assert told[0] == suits
    assert all(one is other for one, other in zip(told[1:], (problem, options, ignore_progress), strict=True))
