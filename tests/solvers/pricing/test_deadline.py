"""A deadline that expires at any moment: a sound answer, and no dear step begins after it. The clock is the test's own."""

from __future__ import annotations

import pytest

from collections_opt.core.problem.assignment import SolveOptions, Termination
from collections_opt.solvers import solve_pricing, verify
from collections_opt.solvers.pricing import boxstep, rounding, solver
from tests.support.solving.instances import HARD_CASES, identical_queues, realistic, with_side_rows

DEAR = (
    (boxstep, "solve_reduced"),
    (solver, "pool_of"),
    (solver, "round_side_rows"),
    (solver, "polish"),
    (rounding, "settle_queues"),
)
"""Steps whose time grows with the instance or with a search, by the module that takes them."""


class Clock:
    """Stands still until it has been asked a number of times, then is past every deadline."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.asked = 0

    @property
    def is_over(self) -> bool:
        return self.asked > self.answers

    def __call__(self) -> float:
        self.asked += 1
        return 1e6 if self.is_over else 0.0


@pytest.fixture
def begun_late(monkeypatch):
    """Return the dear steps that began after the clock was seen to be over, as the solve goes on."""
    late: list[str] = []
    clock = Clock(10**9)

    def watched(name, step):
        def begin(*given, **named):
            if clock.is_over:
                late.append(name)
            return step(*given, **named)

        return begin

    for module, name in DEAR:
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))
    return clock, late


def answer_in_time(problem, clock, answers):
    clock.answers, clock.asked = answers, 0
    answer = solve_pricing(problem, SolveOptions(deadline_seconds=1.0, clock=clock))
    assert verify(problem, answer).findings == ()
    assert answer.bound_minor >= answer.objective_minor
    return answer


@pytest.mark.parametrize(
    "problem",
    [with_side_rows(realistic(12_000, 5, 11)), realistic(12_000, 5, 11), identical_queues(4_000, 8)],
    ids=["side rows", "plain", "alike queues"],
)
def test_whenever_the_time_is_up_the_answer_is_sound_and_nothing_dear_begins_any_more(problem, begun_late):
    clock, late = begun_late
    unhurried = answer_in_time(problem, clock, 10**9)
    moments = clock.asked
    assert not late
    assert unhurried.termination is not Termination.DEADLINE
    for answers in sorted({*range(1, 6), *range(6, moments, max(1, moments // 8)), moments - 1}):
        answer = answer_in_time(problem, clock, answers)
        assert not late, (answers, moments)
        assert answer.termination is Termination.DEADLINE
        assert not answer.replayable
        assert answer.objective_minor > 0.5 * unhurried.objective_minor


@pytest.mark.parametrize("name", HARD_CASES)
def test_hard_cases_are_sound_when_there_is_no_time_at_all(name):
    problem = HARD_CASES[name]()
    answer = answer_in_time(problem, Clock(1), 1)
    assert answer.termination is Termination.DEADLINE


def test_a_step_that_forgets_to_ask_is_caught(begun_late, monkeypatch):
    """Planted: the rounding does not look at the clock between its passes."""
    clock, late = begun_late
    problem = with_side_rows(realistic(12_000, 5, 11))

    class Forgetful(rounding.Deadline):
        def expired(self) -> bool:
            return False

    honest = solver.round_choices
    monkeypatch.setattr(solver, "round_choices", lambda *given: honest(*given[:-1], Forgetful(None)))
    answer_in_time(problem, clock, 10**9)
    moments = clock.asked
    assert any(answer_in_time(problem, clock, answers) and "settle_queues" in late for answers in range(moments // 2, moments))


def test_the_clock_decides_nothing_without_a_deadline():
    problem = realistic(3_000, 4, 2)
    first = solve_pricing(problem, SolveOptions(search=False))
    second = solve_pricing(problem, SolveOptions(search=False, clock=Clock(0)))
    assert (first.queue == second.queue).all()
    assert second.termination is first.termination
