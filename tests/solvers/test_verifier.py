"""Every finding of the verifier has a planted bug that it catches; a sound answer has none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.accounts.persons import grouped
from collections_opt.core.errors import CollectionsError
from collections_opt.core.problem.assignment import (
    PRICE_SCALE,
    UNASSIGNED,
    Assignment,
    AssignmentProblem,
    Shortage,
    SolverIdentity,
    Termination,
)
from collections_opt.solvers.verifier import MAX_PRICE, FindingKind, lagrangian_bound, verify
from tests.support.solving.instances import problem_of, realistic, with_side_rows


def small() -> AssignmentProblem:
    lowest = np.iinfo(np.int32).min
    return problem_of([[50, 40], [30, lowest], [20, 10], [-5, 7]], [[10, 10], [10, 10], [10, 5], [1, 5]], [10, 10])


def sound(problem: AssignmentProblem) -> Assignment:
    prices = np.array([3 * PRICE_SCALE, 2 * PRICE_SCALE], dtype=np.int64)
    return Assignment(
        queue=np.array([0, UNASSIGNED, 1, 1], dtype=np.int16),
        prices=prices,
        side_prices=np.zeros(0, dtype=np.int64),
        objective_minor=67,
        bound_minor=lagrangian_bound(problem, prices),
        termination=Termination.LIMIT,
        solver=SolverIdentity("by hand", "1"),
    )


def kinds(problem, assignment):
    return [finding.kind for finding in verify(problem, assignment).findings]


def test_sound_answer_has_no_findings_and_its_gap():
    problem = small()
    result = verify(problem, sound(problem))
    assert result.ok
    assert (result.objective_minor, result.bound_minor) == (67, 10 * 3 + 10 * 2 + max(20, 20) + 0 + 0 + 0)
    assert result.gap == pytest.approx(3 / 70)
    assert result.used_seconds.tolist() == [10, 10]


PLANTED = {
    FindingKind.WRONG_SHAPE: {"queue": np.zeros(3, dtype=np.int16)},
    FindingKind.UNKNOWN_QUEUE: {"queue": np.array([0, 2, 1, 1], dtype=np.int16)},
    FindingKind.INELIGIBLE_CELL: {"queue": np.array([-1, 1, -1, -1], dtype=np.int16), "objective_minor": 0},
    FindingKind.WORTHLESS_CELL: {"queue": np.array([-1, -1, 1, 0], dtype=np.int16), "objective_minor": 5},
    FindingKind.OVER_CAPACITY: {"queue": np.array([0, 0, 1, 1], dtype=np.int16), "objective_minor": 97},
    FindingKind.WRONG_OBJECTIVE: {"objective_minor": 68},
    FindingKind.BOUND_TOO_LOW: {"bound_minor": 69},
    FindingKind.NEGATIVE_PRICE: {"prices": np.array([-1, 0], dtype=np.int64), "bound_minor": 200},
    FindingKind.PRICE_OUT_OF_RANGE: {"prices": np.array([MAX_PRICE + 1, 0], dtype=np.int64), "bound_minor": 200},
    FindingKind.WRONG_SHORTAGE: {"shortages": (Shortage("nothing", 1, 0),)},
}


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_bug_is_found(kind):
    problem = small()
    findings = verify(problem, replace(sound(problem), **PLANTED[kind])).findings
    assert kind in [finding.kind for finding in findings]


def test_findings_say_by_how_much():
    problem = small()
    over = verify(problem, replace(sound(problem), **PLANTED[FindingKind.OVER_CAPACITY])).findings
    assert [(f.kind, f.where, f.amount) for f in over if f.kind is FindingKind.OVER_CAPACITY] == [
        (FindingKind.OVER_CAPACITY, "queue 0", 10)
    ]
    low = verify(problem, replace(sound(problem), bound_minor=65)).findings
    assert [(f.where, f.amount) for f in low] == [("bound", 5)]


def test_bound_by_search_may_be_below_the_prices_but_not_below_the_objective():
    problem = small()
    assert kinds(problem, replace(sound(problem), bound_minor=67, bound_by_search=True)) == []
    assert kinds(problem, replace(sound(problem), bound_minor=66, bound_by_search=True)) == [FindingKind.BOUND_TOO_LOW]


def test_broken_side_row_needs_an_exact_shortage():
    problem = with_side_rows(realistic(400, 4, 1))
    empty = Assignment(
        queue=np.full(400, UNASSIGNED, dtype=np.int16),
        prices=np.zeros(4, dtype=np.int64),
        side_prices=np.zeros(6, dtype=np.int64),
        objective_minor=0,
        bound_minor=10**12,
        termination=Termination.LIMIT,
        solver=SolverIdentity("by hand", "1"),
    )
    need = -int(problem.side.limit[0])
    assert need > 0
    assert FindingKind.SIDE_ROW_BROKEN in kinds(problem, empty)
    rest = tuple(Shortage(n, -int(b), 0) for n, b in zip(problem.side.names, problem.side.limit, strict=True) if b < 0)
    assert kinds(problem, replace(empty, shortages=rest)) == []
    wrong = (Shortage(rest[0].name, rest[0].missing + 1, 0), *rest[1:])
    assert kinds(problem, replace(empty, shortages=wrong)) == [FindingKind.WRONG_SHORTAGE]


def test_bound_relaxes_with_the_shortage():
    problem = with_side_rows(realistic(400, 4, 1))
    nu = np.zeros(6, dtype=np.int64)
    nu[0] = 7 * PRICE_SCALE
    relaxed = problem.side.limit.copy()
    relaxed[0] += 3
    prices = np.zeros(4, dtype=np.int64)
    assert lagrangian_bound(problem, prices, nu, relaxed) == lagrangian_bound(problem, prices, nu) + 21


def test_bound_refuses_prices_it_cannot_multiply_exactly():
    problem = small()
    with pytest.raises(CollectionsError, match="PRICE_OUT_OF_RANGE"):
        lagrangian_bound(problem, np.array([MAX_PRICE * 2, 0], dtype=np.int64))


def test_bound_is_exact_beyond_float64():
    n = 3000
    problem = problem_of(np.full((n, 1), 2_000_000_000), np.full((n, 1), 1), [0])
    price = np.array([1], dtype=np.int64)
    assert lagrangian_bound(problem, price) == (n * ((2_000_000_000 << 20) - 1)) >> 20


def test_a_person_worked_twice_is_found_and_the_bound_counts_persons():
    problem = small()
    owned = replace(problem, persons=grouped(np.array([0, 1, 0, 2], dtype=np.int32)))
    answer = sound(problem)
    (finding,) = verify(owned, replace(answer, bound_minor=lagrangian_bound(owned, answer.prices))).findings
    assert (finding.kind, finding.where, finding.amount) == (FindingKind.PERSON_WORKED_TWICE, "row 2", 1)
    assert lagrangian_bound(owned, answer.prices) == 10 * 3 + 10 * 2 + 20 == lagrangian_bound(problem, answer.prices)
    other = np.array([PRICE_SCALE, 0], dtype=np.int64)
    assert lagrangian_bound(owned, other) == 10 + 40 + 20 + 7
    assert lagrangian_bound(problem, other) == 10 + 40 + 20 + 10 + 7
