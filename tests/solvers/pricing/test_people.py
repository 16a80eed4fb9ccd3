"""Persons as rows: what rows say at their prices is exact, and the large-scale solver keeps its gap with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.accounts.persons import grouped, numbered
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED, SolveOptions
from collections_opt.solvers import solve_exact, solve_pricing, verify
from collections_opt.solvers.pricing import people as module
from collections_opt.solvers.pricing.instance import evaluate, flatten, tally
from collections_opt.solvers.pricing.people import People
from collections_opt.solvers.verifier import lagrangian_bound, usable_capacity
from tests.support.solving.instances import HARD_CASES, realistic, small_random, with_persons, with_side_rows

GAPS = {
    "mass_ties": 5e-6,
    "equal_times": 1e-5,
    "closed_and_empty_queues": 3e-5,
    "everything_slack": 0.0,
    "all_negative": 0.0,
    "identical_queues": 5e-5,
    "near_identical_queues": 5e-5,
    "one_whale": 2e-5,
    "unmeetable_floor": 1e-4,
    "side_rows": 1e-4,
}


def people_of(problem) -> People:
    return People(flatten(problem, 2), problem.persons)


def random_prices(problem, rng):
    m, k = problem.queue_count, len(problem.side.names) if problem.side else 0
    return np.concatenate([rng.integers(0, 6 * PRICE_SCALE, m), rng.integers(0, 6 * PRICE_SCALE, k)])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), side=st.booleans(), crowded=st.booleans())
def test_rows_at_prices_have_the_bound_of_the_accounts_and_lists_to_match(seed, side, crowded):
    rng = np.random.default_rng(seed)
    problem = with_persons(small_random(rng, 40, 4, side), seed)
    problem = replace(problem, capacity_seconds=usable_capacity(problem))
    people, prices = people_of(problem), random_prices(problem, rng)
    with pytest.MonkeyPatch.context() as patch:
        if crowded:  # too many kinds of persons with accounts in several groups: only the best cells are kept
            patch.setattr(module, "_MOST_KINDS", 3)
        rows = people.at(prices)
        again = people.at(prices, people.at(np.zeros_like(prices)))
    found = evaluate(rows, prices)
    assert found.bound // PRICE_SCALE == lagrangian_bound(problem, prices[:4], prices[4:])
    assert evaluate(again, prices).bound == found.bound
    queue = people.of_accounts(prices, found.choice)
    assert np.bincount(problem.persons.of[queue != UNASSIGNED], minlength=1).max() <= 1
    value, used = tally(people.accounts, queue)
    assert (value, used.tolist()) == (tally(rows, found.choice)[0], found.used.tolist())
    assert people.of_persons(queue).tolist() == found.choice.tolist()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), side=st.booleans())
def test_one_contact_per_person_never_earns_more_and_is_bounded_at_any_prices(seed, side):
    rng = np.random.default_rng(seed)
    free = small_random(rng, 14, 3, side)
    bound = with_persons(free, seed, 0.6)
    best, without = (solve_exact(problem, SolveOptions()) for problem in (bound, free))
    if best.shortages or without.shortages:
        return
    assert best.objective_minor == best.bound_minor
    assert best.objective_minor <= without.objective_minor
    for _ in range(8):
        prices = random_prices(free, rng)
        at = [lagrangian_bound(problem, prices[:3], prices[3:]) for problem in (bound, free)]
        assert best.objective_minor <= at[0] <= at[1]


@pytest.mark.parametrize("name", GAPS)
def test_hard_case_with_persons_is_sound_and_nearly_optimal(name):
    problem = with_persons(HARD_CASES[name]())
    answer = solve_pricing(problem, SolveOptions(gap_target=1e-5, search=False))
    assert verify(problem, answer).findings == ()
    assert answer.gap <= GAPS[name]


@pytest.mark.parametrize("side", [False, True])
def test_large_books_keep_their_gap_and_the_same_bytes_for_any_thread_count(side):
    problem = with_persons(with_side_rows(realistic(150_000, 6, 4)) if side else realistic(150_000, 6, 4))
    answers = [solve_pricing(problem, SolveOptions(threads=threads)) for threads in (1, 8)]
    assert len({(a.queue.tobytes(), a.prices.tobytes(), a.bound_minor) for a in answers}) == 1
    assert verify(problem, answers[0]).findings == ()
    assert answers[0].gap <= 2e-6
    assert not answers[0].shortages


def test_progress_shows_a_gap_that_only_shrinks_and_yesterdays_prices_lead_to_the_same_bound():
    problem, seen = with_persons(realistic(150_000, 5, 10)), []
    cold = solve_pricing(problem, SolveOptions(), seen.append)
    gaps = [report.gap for report in seen if report.gap is not None]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] == pytest.approx(cold.gap)
    warm = solve_pricing(problem, SolveOptions(warm_prices=(cold.prices * 1.1).astype(np.int64)))
    assert warm.bound_minor == pytest.approx(cold.bound_minor, rel=1e-9)


def test_a_person_with_a_thousand_accounts_is_contacted_once():
    problem = realistic(3_000, 4, 6)
    names = np.where(np.arange(3_000) < 1_000, 0, np.arange(3_000)).astype("S6")
    problem = replace(problem, persons=grouped(numbered(names)))
    answer = solve_pricing(problem, SolveOptions(search=False))
    assert verify(problem, answer).findings == ()
    assert (answer.queue[:1_000] != UNASSIGNED).sum() == 1
