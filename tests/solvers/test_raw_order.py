"""Raw orders fill the same capacity under the same rows: as a loop in plain Python does it, within every limit, floors first."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, AssignmentProblem, SideConstraints
from collections_opt.core.problem.exploration import draw
from collections_opt.core.ranking.ordering import Ordering, RawOrder
from collections_opt.solvers import fill_in_order, lagrangian_bound, solve_in_order, verify
from collections_opt.solvers.verifier import FindingKind
from tests.support.solving.instances import problem_of, realistic, with_side_rows


def fill_by_hand(key, problem, onlookers=()):
    """Serve in order: the best open queue; a queue closes at the first account that does not fit; floors come first."""
    n, m, side = problem.account_count, problem.queue_count, problem.side
    value, seconds, room = problem.value.tolist(), problem.seconds.tolist(), problem.capacity_seconds.tolist()
    rows = range(len(side.names)) if side else ()
    weight = [[[int(side.table[k, side.group[i], q]) for q in range(m)] for i in range(n)] for k in rows]
    left = side.limit.tolist() if side else []
    table = side.table if side else np.zeros((0, 1, m))
    floors = [k for k in rows if (table[k] < 0).any() and not (table[k] > 0).any()]
    exchanges = [k for k in rows if (table[k] < 0).any() and (table[k] > 0).any()]
    need = dict.fromkeys(floors, 0)
    for k in exchanges:
        open_cells = [[-weight[k][i][q] for q in range(m) if value[i][q] != INELIGIBLE] for i in range(n) if i not in onlookers]
        need[k] = max(0, (left[k] + sum(max([0, *cells]) for cells in open_cells)) // 2)
    queue, is_open = [UNASSIGNED] * n, [True] * m

    def served(i, q):
        return [k for k in need if weight[k][i][q] < 0 and left[k] < need[k]]

    for called in (floors, exchanges, floors, None):
        for i in np.argsort(-np.asarray(key), kind="stable").tolist():
            choices = [
                q
                for q in range(m)
                if is_open[q] and value[i][q] != INELIGIBLE and not any(0 < weight[k][i][q] > left[k] for k in rows)
            ]
            if queue[i] != UNASSIGNED:
                continue
            if called is None:
                choices.sort(key=lambda q: (-value[i][q], q))
            else:
                choices = [q for q in choices if set(served(i, q)) & set(called) and seconds[i][q] <= room[q]]
                choices.sort(key=lambda q: (-len(served(i, q)), -value[i][q], q))
            for q in choices:
                if seconds[i][q] <= room[q]:
                    queue[i] = q
                    if i not in onlookers:
                        room[q] -= seconds[i][q]
                        left = [left[k] - weight[k][i][q] for k in rows]
                    break
                is_open[q] = is_open[q] and i in onlookers
    return queue, left


@st.composite
def instances(draw_):
    """Return a key and a small instance with ties, ineligible and worthless cells, and up to three rows of any signs."""
    rng = np.random.default_rng(draw_(st.integers(0, 2**32 - 1)))
    n, m, rows, groups = (int(rng.integers(low, high)) for low, high in ((0, 14), (1, 5), (0, 4), (1, 5)))
    value = rng.integers(-5, 20, (n, m))
    value[rng.random((n, m)) < 0.2] = INELIGIBLE
    side = None
    if rows:
        signs = rng.choice([[0, 1, 1], [0, -1, -1], [-1, 0, 1]], rows)
        table = np.stack([rng.choice(sign, (groups, m)) for sign in signs]).astype(np.int64)
        names = tuple(f"row {k}" for k in range(rows))
        side = SideConstraints(names, rng.integers(0, groups, n).astype(np.int32), table, rng.integers(-6, 6, rows))
    problem = problem_of(value.reshape(n, m), rng.integers(1, 9, (n, m)), rng.integers(0, 40, m), side)
    return rng.integers(0, 4, n).astype(np.float64), problem


@settings(max_examples=300, deadline=None)
@given(instances(), st.integers(0, 2**14))
def test_filling_equals_the_loop_in_plain_python(instance, onlooking):
    key, problem = instance
    onlookers = np.array([(onlooking >> i) % 5 == 0 for i in range(problem.account_count)], dtype=bool)
    queue, left = fill_in_order(key, problem, onlookers)
    expected = fill_by_hand(key, problem, set(np.flatnonzero(onlookers).tolist()))
    assert (queue.tolist(), left.tolist()) == expected


def findings_of(key, problem, fill_from=None):
    """Return what the verifier finds wrong with a raw order's answer; ``fill_from`` plants another instance to fill from."""
    found = solve_in_order(RawOrder(Ordering.BALANCE, key, 1), fill_from or problem)
    return verify(problem, found.assignment, worthless_may_be_worked=True).findings


@settings(max_examples=200, deadline=None)
@given(instances())
def test_capacity_and_caps_hold_and_what_floors_lack_is_stated_exactly(instance):
    key, problem = instance
    assert findings_of(key, problem) == ()
    answer = solve_in_order(RawOrder(Ordering.BALANCE, key, 1), problem).assignment
    caps = [] if problem.side is None else [k for k, row in enumerate(problem.side.table) if not (row < 0).any()]
    short = {shortage.name for shortage in answer.shortages}
    assert not any(problem.side.limit[k] >= 0 and problem.side.names[k] in short for k in caps)


def test_a_fill_that_is_one_off_at_a_cap_is_caught():
    """Planted: the fill lets every row have one unit too many."""

    def is_caught(instance):
        key, problem = instance
        if problem.side is None:
            return False
        loose = replace(problem, side=replace(problem.side, limit=problem.side.limit + 1))
        wrong = {FindingKind.SIDE_ROW_BROKEN, FindingKind.WRONG_SHORTAGE}
        return any(finding.kind in wrong for finding in findings_of(key, problem, loose))

    find(instances(), is_caught, settings=settings(max_examples=200, database=None, deadline=None))


@settings(max_examples=200, deadline=None)
@given(instances())
def test_a_floor_is_short_only_if_nobody_of_its_segment_fits_beside_the_others_of_it(instance):
    key, problem = instance
    n, m = problem.value.shape
    segment = np.arange(n) % 2 == 0
    table = np.zeros((1, 2, m), dtype=np.int64)
    table[0, 1, :] = -1
    side = SideConstraints(("floor",), segment.astype(np.int32), table, np.array([-n // 3]))
    answer = solve_in_order(RawOrder(Ordering.BALANCE, key, 1), replace(problem, side=side)).assignment
    if not answer.shortages:
        return
    taken = [int(problem.seconds[segment & (answer.queue == q), q].sum()) for q in range(m)]
    for i in np.flatnonzero(segment & (answer.queue == UNASSIGNED)):
        for q in np.flatnonzero(problem.value[i] != INELIGIBLE):
            assert problem.seconds[i, q] > problem.capacity_seconds[q] - taken[q]


def moves_row(before: np.ndarray, queues: int, most: int) -> SideConstraints:
    """Return the row that caps moves, by the queue of each account before (none: -1)."""
    table = np.zeros((1, queues + 1, queues), dtype=np.int64)
    table[0, queues, :] = 1
    table[0, np.arange(queues), np.arange(queues)] = -1
    group = np.where(before == UNASSIGNED, queues, before).astype(np.int32)
    return SideConstraints(("moves",), group, table, np.array([most - int((before >= 0).sum())]))


@pytest.mark.parametrize("most", [0, 1, 30, 10_000])
def test_another_order_comes_in_as_far_as_the_cap_on_moves_lets_it(most):
    problem = realistic(600, 4, 3)
    rng = np.random.default_rng(1)
    first, second = rng.random(600), rng.random(600)
    before, _ = fill_in_order(first, problem)
    free, _ = fill_in_order(second, problem)
    limited = replace(problem, side=moves_row(before, 4, most))
    answer = solve_in_order(RawOrder(Ordering.RANDOM, second, 1), limited).assignment
    assert answer.shortages == ()
    moved = int((answer.queue != before).sum())
    assert moved <= most
    assert moved >= min(most // 2, int((free != before).sum()))


def test_floors_and_caps_of_a_larger_book_hold_and_cost_the_order_something():
    problem = with_side_rows(realistic(4_000, 6, 16))
    key = np.random.default_rng(3).random(4_000)
    answer = solve_in_order(RawOrder(Ordering.RANDOM, key, 3), problem).assignment
    assert answer.shortages == ()
    assert verify(problem, answer, worthless_may_be_worked=True).findings == ()
    free, _ = fill_in_order(key, replace(problem, side=None))
    without = verify(problem, replace(answer, queue=free), worthless_may_be_worked=True).findings
    assert FindingKind.SIDE_ROW_BROKEN in [finding.kind for finding in without]


def test_raw_orders_work_accounts_that_cost_more_than_they_earn():
    problem = problem_of([[-5], [10]], [[1], [1]], [1])
    queue, _ = fill_in_order(np.array([2.0, 1.0]), problem)
    assert queue.tolist() == [0, UNASSIGNED]
    answer = solve_in_order(RawOrder(Ordering.BALANCE, np.array([2.0, 1.0]), 1), problem).assignment
    assert [f.kind for f in verify(problem, answer).findings] == [FindingKind.WORTHLESS_CELL]


def test_drawn_accounts_take_nothing_and_know_what_they_would_have_got():
    problem: AssignmentProblem = realistic(2_000, 4, 5)
    order = RawOrder(Ordering.RANDOM, np.random.default_rng(2).random(2_000), 2)
    exploration = draw(problem, 0.1, 7)
    found = solve_in_order(order, problem, exploration)
    drawn = exploration.drawn
    assert (found.assignment.queue[drawn] == UNASSIGNED).all()
    assert (found.if_not_drawn[~drawn] == found.assignment.queue[~drawn]).all()
    assert (found.if_not_drawn[drawn] >= 0).any()
    used = [int(problem.seconds[found.assignment.queue == q, q].sum()) for q in range(4)]
    assert (np.array(used) + exploration.used_seconds <= problem.capacity_seconds).all()
    top = int(np.flatnonzero(drawn)[np.argmax(order.key[drawn])])
    alone = replace(order, key=np.where(np.arange(2_000) == top, 2.0, order.key))
    first = solve_in_order(alone, problem, exploration).if_not_drawn[top]
    assert first == np.argmax(problem.value[top])


def test_a_desk_without_a_minute_has_no_gap_and_its_prices_prove_it():
    problem = replace(realistic(200, 3), capacity_seconds=np.zeros(3, dtype=np.int64))
    answer = solve_in_order(RawOrder(Ordering.BALANCE, np.arange(200.0), 1), problem).assignment
    assert (answer.objective_minor, answer.bound_minor, answer.gap) == (0, 0, 0.0)
    assert lagrangian_bound(problem, answer.prices) == 0
    assert not verify(problem, answer, True).findings
