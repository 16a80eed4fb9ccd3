"""One more agent and the best moves, against every possibility solved by itself."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from collections_opt.application.answers.next_agent import next_agent
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import SolveOptions
from collections_opt.solvers import SOLVERS
from tests.support.books.what_if_instances import baseline_of
from tests.support.solving.instances import realistic

PAID = 20.0


def desk(seed, accounts=24, queues=3):
    """Return a baseline whose queues have one to three agents of 20 minutes."""
    problem = realistic(accounts, queues, seed)
    agents = np.random.default_rng(seed).integers(1, 4, queues)
    problem = replace(problem, capacity_seconds=(agents * PAID * 60).astype(np.int64))
    made = baseline_of(problem)
    plan = made.answer.plan
    whole = tuple(replace(q, agents=float(n), paid_minutes=PAID) for q, n in zip(plan.queues, agents, strict=True))
    return replace(made, answer=replace(made.answer, plan=replace(plan, queues=whole)))


def best(baseline, capacity):
    """Return the value of the best list at some minutes, proven."""
    return SOLVERS["exact"](replace(baseline.answer.problem, capacity_seconds=capacity), SolveOptions()).objective_minor


def unit(baseline, place):
    return np.eye(baseline.answer.problem.queue_count, dtype=np.int64)[place] * int(PAID * 60)


@pytest.mark.parametrize("seed", range(6))
def test_one_more_agent_is_worth_what_it_is_within_the_interval(seed):
    baseline = desk(seed)
    capacity = baseline.answer.problem.capacity_seconds
    found = next_agent(baseline, [baseline.answer.plan] * 5, 0)
    for place, (today, week) in enumerate(zip(found.today, found.week, strict=True)):
        assert today.minutes == PAID
        assert week.minutes == 5 * PAID
        gain = best(baseline, capacity + unit(baseline, place)) - best(baseline, capacity)
        assert today.low_minor <= gain <= today.high_minor
        gain = best(baseline, 5 * capacity + 5 * unit(baseline, place)) - best(baseline, 5 * capacity)
        assert week.low_minor <= gain <= week.high_minor
    assert (found.day_count, found.moves) == (5, ())


@pytest.mark.parametrize("seed", range(8))
def test_no_single_move_is_better_than_the_one_found(seed):
    baseline = desk(seed)
    capacity = baseline.answer.problem.capacity_seconds
    here = best(baseline, capacity)
    pairs = permutations(range(3), 2)
    gains = {(f"q{a}", f"q{b}"): best(baseline, capacity - unit(baseline, a) + unit(baseline, b)) - here for a, b in pairs}
    moves = next_agent(baseline, [baseline.answer.plan], 1).moves
    slack = 0.01 * here  # the re-solves are near the best, and say how near
    highest = max(gains.values())
    if not moves:
        assert highest <= slack
        return
    move = moves[0]
    assert abs(move.gain_minor - gains[move.from_queue_id, move.to_queue_id]) <= slack
    assert highest - slack <= move.gain_minor <= move.high_minor
    assert highest <= move.high_minor + slack


def test_moves_follow_each_other_and_never_lose():
    baseline = desk(3, accounts=60, queues=4)
    moves = next_agent(baseline, [baseline.answer.plan], 3).moves
    assert all(move.gain_minor > 0 for move in moves)
    capacity, names = baseline.answer.problem.capacity_seconds.copy(), [q.queue_id for q in baseline.answer.plan.queues]
    for move in moves:
        capacity += unit(baseline, names.index(move.to_queue_id)) - unit(baseline, names.index(move.from_queue_id))
    assert (capacity >= 0).all()
    gained = best(baseline, capacity) - baseline.answer.assignment.objective_minor
    assert sum(move.gain_minor for move in moves) <= gained + 1


def test_too_many_agents_are_refused():
    baseline = desk(1)
    with pytest.raises(CollectionsError) as caught:
        next_agent(baseline, [baseline.answer.plan], 21)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
