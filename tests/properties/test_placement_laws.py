"""Laws of placing at prices: the same decision as the ranking's up to ties, and the same order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.accounts.persons import grouped
from collections_opt.core.arrays import frozen
from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, UNASSIGNED, SolveOptions
from collections_opt.core.problem.person_choice import NEVER, OUTSIDE, Beside, Standing
from collections_opt.core.ranking.ordering import priority_in_queue
from collections_opt.core.ranking.placement import keep_recorded, place, same_inputs
from collections_opt.core.ranking.ranking import Disposition, Entries
from collections_opt.core.ranking.worklist_order import WorklistOrder
from collections_opt.solvers import SOLVERS
from tests.support.factories import admitted, text
from tests.support.solving.instances import problem_of, realistic, small_random, with_persons


def exact_bound(problem, answer, placements):
    """Return D(prices) in 1 / PRICE_SCALE minor units, from placements alone."""
    best = np.where(problem.value > 0, placements.margin, 0).max(axis=1, initial=0)
    if problem.persons is not None:
        best = np.maximum.reduceat(best[problem.persons.order], problem.persons.start[:-1])
    bound = sum(int(p) * int(c) for p, c in zip(answer.prices, problem.capacity_seconds, strict=True)) + int(best.sum())
    if problem.side is not None:
        bound += sum(int(p) * int(b) for p, b in zip(answer.side_prices, problem.side.limit, strict=True))
    return bound, best


def losses(problem, answer):
    """Return what each recorded choice leaves on the table at the prices, and what all of them may: bound - objective."""
    placements = place(problem, answer.prices, answer.side_prices)
    bound, best = exact_bound(problem, answer, placements)
    everyone = np.arange(problem.account_count)
    taken = np.where(answer.queue == UNASSIGNED, 0, placements.margin[everyone, np.maximum(answer.queue, 0)])
    if problem.persons is not None:
        taken = np.bincount(problem.persons.of, taken, minlength=problem.persons.count).astype(np.int64)
    missing = sum(s.missing * int(answer.side_prices[problem.side.names.index(s.name)]) for s in answer.shortages)
    return placements, best - taken, bound + missing - answer.objective_minor * PRICE_SCALE


def check_agreement(problem, answer):
    placements, loss, gap = losses(problem, answer)
    assert (loss >= 0).all()
    assert int(loss.sum()) <= gap
    differs = placements.queue != answer.queue
    if problem.persons is not None:
        assert np.bincount(problem.persons.of[placements.queue != UNASSIGNED], minlength=1).max() <= 1
        return int(differs.sum())
    assert (loss[differs] <= gap).all()
    ranked = np.sort(np.column_stack([np.where(problem.value > 0, placements.margin, 0), np.zeros(len(loss), np.int64)]), axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > gap if ranked.shape[1] > 1 else np.ones(len(loss), dtype=bool)
    assert not (differs & clear).any()
    return int(differs.sum())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(sorted(SOLVERS)), st.booleans())
def test_placing_the_accounts_of_a_ranking_gives_its_decisions_up_to_ties(seed, name, side):
    problem = small_random(np.random.default_rng(seed), 10, 3, side=side)
    problem = with_persons(problem, seed) if seed % 2 else problem
    check_agreement(problem, SOLVERS[name](problem, SolveOptions()))


def test_almost_every_account_of_a_realistic_ranking_is_placed_by_prices_alone():
    problem = realistic(3_000, 6, 4)
    differing = check_agreement(problem, SOLVERS["pricing"](problem, SolveOptions()))
    assert differing <= 0.02 * problem.account_count


def test_the_harness_catches_a_ranking_whose_decision_is_not_the_prices_one():
    problem = realistic(300, 4, 4)
    answer = SOLVERS["exact"](problem, SolveOptions())
    check_agreement(problem, answer)
    loss_if_dropped = place(problem, answer.prices, answer.side_prices).margin.max(axis=1)
    planted = answer.queue.copy()
    planted[int(loss_if_dropped.argmax())] = UNASSIGNED
    with pytest.raises(AssertionError):
        check_agreement(problem, replace(answer, queue=planted))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_a_placed_account_is_worth_its_price_and_no_cell_is_better(seed):
    problem = small_random(np.random.default_rng(seed), 12, 3)
    answer = SOLVERS["greedy"](problem, SolveOptions())
    found = place(problem, answer.prices, answer.side_prices)
    for row in range(problem.account_count):
        margin, values = found.margin[row].tolist(), problem.value[row].tolist()
        open_cells = [m for m, v in zip(margin, values, strict=True) if v > 0]
        if found.disposition[row] == Disposition.ASSIGNED:
            assert margin[found.queue[row]] == max(open_cells) > 0
        else:
            assert found.queue[row] == UNASSIGNED
            assert max(open_cells, default=0) <= 0
        expected = Disposition.PRICED_OUT if open_cells else Disposition.COSTS_MORE_THAN_IT_EARNS
        expected = Disposition.INELIGIBLE if (problem.value[row] == INELIGIBLE).all() else expected
        assert found.disposition[row] in (Disposition.ASSIGNED, expected)


def entries_of(ids, queue, increment, seconds):
    zeros = np.zeros(len(ids), dtype=np.int64)
    priority = priority_in_queue(queue, increment / seconds)
    ones, never = np.ones(len(ids), np.uint8), np.zeros(len(ids), np.uint8)
    figures = (increment, seconds, zeros, zeros, never, zeros, zeros, zeros, zeros)
    return Entries(ids, ones, queue, priority, queue, *figures)


@st.composite
def worklists(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    count = int(rng.integers(0, 12))
    ids = np.unique(np.array([f"a{k:02d}".encode() for k in rng.integers(0, 40, count)], dtype="S3"))
    queue = rng.integers(-1, 3, ids.size).astype(np.int16)
    return ids, queue, rng.integers(1, 5, ids.size), rng.integers(1, 3, ids.size).astype(np.int32), rng


@settings(max_examples=300, deadline=None)
@given(worklists())
def test_the_position_is_the_one_that_sorting_everybody_again_gives(book):
    ids, queue, increment, seconds, rng = book
    order = WorklistOrder(entries_of(ids, queue, increment, seconds), 3)
    own = order.positions(ids, queue, increment.astype(np.int32), seconds.astype(np.uint16))
    np.testing.assert_array_equal(own, priority_in_queue(queue, increment / seconds))
    new_id = np.array([f"a{int(rng.integers(0, 40)):02d}".encode()], dtype="S9")
    new = (
        np.array([rng.integers(0, 3)], np.int16),
        np.array([rng.integers(1, 5)], np.int32),
        np.array([rng.integers(1, 3)], np.uint16),
    )
    others = ids != new_id[0]
    all_ids = np.append(ids[others], new_id)
    sort = np.argsort(all_ids)
    merged = [np.append(old[others], given) for old, given in zip((queue, increment, seconds), new, strict=True)]
    expected = np.empty(all_ids.size, dtype=np.int32)
    expected[sort] = priority_in_queue(merged[0][sort].astype(np.int16), (merged[1] / merged[2])[sort])
    assert order.positions(new_id, *new)[0] == expected[-1]


def test_unknown_accounts_have_no_recorded_decision_and_order_may_be_empty():
    ids = np.array([b"b", b"d"])
    order = WorklistOrder(entries_of(ids, np.array([0, -1], np.int16), np.array([5, 5]), np.array([1, 1], np.int32)), 1)
    assert order.rows(np.array([b"a", b"b", b"c", b"d", b"e"])).tolist() == [-1, 0, -1, 1, -1]
    found = order.decisions(np.array([-1, 0, 1]))
    assert (found.queue.tolist(), found.priority.tolist(), found.disposition.tolist()) == ([-1, 0, -1], [0, 1, 0], [0, 1, 1])
    empty = WorklistOrder(entries_of(ids[:0], np.zeros(0, np.int16), np.zeros(0, np.int64), np.zeros(0, np.int32)), 2)
    assert empty.rows(ids).tolist() == [-1, -1]
    assert empty.positions(
        ids, np.array([1, -1], np.int16), np.array([3, 0], np.int32), np.array([1, 1], np.uint16)
    ).tolist() == [1, 0]


def test_an_unchanged_account_keeps_its_recorded_decision():
    problem = realistic(50, 3, 2)
    placements = place(problem, np.zeros(3, np.int64), np.zeros(0, np.int64))
    unchanged = np.arange(50) % 2 == 0
    kept = keep_recorded(placements, unchanged, np.full(50, Disposition.PRICED_OUT, np.uint8), np.full(50, UNASSIGNED, np.int16))
    assert (kept.queue[unchanged] == UNASSIGNED).all()
    assert (kept.queue[~unchanged] == placements.queue[~unchanged]).all()


def test_same_inputs_sees_every_column_missing_cells_and_the_date():
    ids = text(["a", "b"])
    base = admitted(account_id=ids).portfolio
    assert same_inputs(base, base).tolist() == [True, True]
    changed = admitted(account_id=ids, arrears_minor=np.array([10_000, 9_999])).portfolio
    assert same_inputs(base, changed).tolist() == [True, False]
    present = dict(base.present)
    present["state"] = frozen(np.array([False, True]))
    object.__setattr__(changed, "present", present)
    object.__setattr__(changed, "columns", base.columns)
    assert same_inputs(base, changed).tolist() == [True, False]
    later = type(base)(base.as_of_date.replace(day=25), base.time_zone, base.currency_code, base.columns, base.present)
    assert not same_inputs(base, later).any()


def test_of_a_persons_accounts_the_one_worth_most_is_placed_and_one_worked_already_wins_ties():
    problem = problem_of([[500], [700], [700], [900]], [[10]] * 4, [100])
    problem = replace(problem, persons=grouped(np.array([0, 0, 0, 1], dtype=np.int32)))
    prices, none, nothing = np.array([20 * PRICE_SCALE]), np.zeros(0, np.int64), np.full(4, -1)
    found = place(problem, prices, none)
    assert found.queue.tolist() == [UNASSIGNED, 0, UNASSIGNED, 0]
    assert found.disposition.tolist() == [5, 1, 5, 1]
    assert found.rivals.row.tolist() == [1, 2, 1, -1]
    nobody = Beside(np.full(4, b""), np.full(4, NEVER), nothing, nothing)
    standing = Standing(np.array([False, False, True, False]), np.array([-1, -1, 0, -1], np.int16), nobody)
    assert place(problem, prices, none, standing).queue.tolist() == [UNASSIGNED, UNASSIGNED, 0, 0]
    worked = Beside(np.array([b"z", b"z", b"z", b""]), np.array([500 * PRICE_SCALE] * 3 + [NEVER]), nothing, nothing)
    found = place(problem, prices, none, replace(standing, unchanged=np.zeros(4, bool), beside=worked))
    assert found.queue.tolist() == [UNASSIGNED] * 3 + [0]
    assert found.rivals.row.tolist() == [OUTSIDE, OUTSIDE, 1, -1]
