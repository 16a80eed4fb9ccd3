"""Floors that cannot be met: what can be had is had, the rest is reported at the penalty, and the search ends soon."""

from __future__ import annotations

import numpy as np
import pytest

from collections_opt.core.problem.assignment import PRICE_SCALE, AssignmentProblem, SideConstraints, SolveOptions
from collections_opt.solvers import solve_pricing, verify
from collections_opt.solvers.pricing import boxstep
from collections_opt.solvers.side_rows import shortage_penalty_minor
from collections_opt.solvers.survey import survey
from tests.support.solving.instances import realistic

ACCOUNTS, QUEUES = 40_000, 6
MOST_PROGRAMS_OF_ALL_ACCOUNTS = 8
OPTIONS = SolveOptions()


def with_floor(counted: list[int], floor: int) -> AssignmentProblem:
    """At least ``floor`` accounts in the queues ``counted``."""
    base = realistic(ACCOUNTS, QUEUES, 21)
    table = np.zeros((1, 1, QUEUES), dtype=np.int64)
    table[0, 0, counted] = -1
    side = SideConstraints(("floor",), np.zeros(ACCOUNTS, np.int32), table, np.array([-floor]))
    return AssignmentProblem(base.value, base.seconds, base.capacity_seconds, side)


def most_that_fit(problem: AssignmentProblem, queue: int) -> int:
    """Accounts that one queue can work: the shortest handling times first."""
    times = np.sort(problem.seconds[problem.value[:, queue] > 0, queue].astype(np.int64))
    return int(np.searchsorted(np.cumsum(times), problem.capacity_seconds[queue], side="right"))


@pytest.mark.parametrize("counted", [[0], list(range(QUEUES))], ids=["one queue", "all queues"])
def test_a_floor_beyond_the_capacity_ends_after_a_few_programs(counted, monkeypatch):
    sizes = []
    solve_reduced = boxstep.solve_reduced

    def counting(instance, *rest, **options):
        sizes.append(instance.rows)
        return solve_reduced(instance, *rest, **options)

    monkeypatch.setattr(boxstep, "solve_reduced", counting)
    problem = with_floor(counted, int(0.9 * ACCOUNTS))
    answer = solve_pricing(problem, OPTIONS)
    assert verify(problem, answer).findings == ()
    assert sizes.count(ACCOUNTS) <= MOST_PROGRAMS_OF_ALL_ACCOUNTS
    (shortage,) = answer.shortages
    penalty = shortage_penalty_minor(problem.side, survey(problem))
    assert shortage.price_minor == int(answer.side_prices[0]) // PRICE_SCALE == penalty
    if len(counted) == 1:
        least = int(0.9 * ACCOUNTS) - most_that_fit(problem, counted[0])
        assert 0 <= shortage.missing - least <= 1


def test_a_floor_just_within_the_capacity_is_met_up_to_the_rounding():
    most = most_that_fit(with_floor([0], 0), 0)
    problem = with_floor([0], int(0.97 * most))
    answer = solve_pricing(problem, OPTIONS)
    assert verify(problem, answer).findings == ()
    assert sum(shortage.missing for shortage in answer.shortages) <= 1
    assert answer.gap <= 5e-4
