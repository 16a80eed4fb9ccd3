"""Laws of every ranking, on random small portfolios: nothing is lost, nothing forbidden, nothing overbooked, nothing unproven."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, SolveOptions
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.solvers import SOLVERS, solve_in_order
from collections_opt.solvers.verifier import verify
from tests.support.books.drawn import books, score_by
from tests.support.factories import admitted, flag_rules, outcomes, plan, queue, text

GREEDY = SOLVERS["greedy"]
LAW_BOOKS = int(os.environ.get("LAW_BOOKS", "2500"))
"""Random books that a run draws, other ones each time: 2,500 every day, 10,000 by ``make laws``."""


def check_conservation(admission, entries):
    assert admission.row_count == admission.portfolio.account_count + admission.quarantine.row_count
    counts = [entries.count(d) for d in Disposition]
    assert sum(counts) == admission.portfolio.account_count


def check_feasible(ranking):
    worked = np.flatnonzero(ranking.entries.queue != UNASSIGNED)
    cells = ranking.problem.value[worked, ranking.entries.queue[worked]]
    assert (cells != INELIGIBLE).all()
    used = [0] * ranking.problem.queue_count
    for row in worked.tolist():
        used[ranking.entries.queue[row]] += int(ranking.problem.seconds[row, ranking.entries.queue[row]])
    assert all(u <= c for u, c in zip(used, ranking.problem.capacity_seconds.tolist(), strict=True))
    contacted = [name for name in ranking.portfolio.column("customer_id")[worked].tolist() if name]
    assert len(contacted) == len(set(contacted))
    return int(cells.astype(np.int64).sum())


def check_ranking(admission, ranking):
    check_conservation(admission, ranking.entries)
    objective = check_feasible(ranking)
    assert objective == ranking.assignment.objective_minor <= ranking.assignment.bound_minor
    assert not verify(ranking.problem, ranking.assignment).findings


@settings(max_examples=LAW_BOOKS, deadline=None)
@given(books())
def test_laws_of_an_expected_value_ranking(book):
    columns, desk, seed = book
    admission = admitted(**columns)
    request = RankingRequest(desk, flag_rules(), ValueParameters())
    best = rank(admission.portfolio, request, score_by(seed), SOLVERS["exact"])
    check_ranking(admission, best)
    greedy = GREEDY(best.problem, SolveOptions())
    assert not verify(best.problem, greedy).findings
    assert best.assignment.objective_minor >= greedy.objective_minor
    if seed % 8 == 1:  # the rest of a ranking does not know which solver answered
        quick = rank(admission.portfolio, request, score_by(seed), GREEDY)
        check_ranking(admission, quick)
        assert quick.assignment.objective_minor == greedy.objective_minor
    beside = best.entries.disposition == Disposition.ANOTHER_ACCOUNT_WORKED
    if beside.any() and seed % 8 == 0:
        several = replace(request, plan=replace(desk, several_contacts_per_person=True))
        free = rank(admission.portfolio, several, score_by(seed), SOLVERS["exact"])
        assert free.assignment.objective_minor >= best.assignment.objective_minor
        assert free.entries.person is None
        names = best.portfolio.column("customer_id")
        assert set(names[beside].tolist()) <= set(names[best.entries.queue != UNASSIGNED].tolist())


@settings(max_examples=200, deadline=None)
@given(books(), st.sampled_from([o for o in Ordering if o is not Ordering.EXPECTED_VALUE]))
def test_laws_of_a_raw_order(book, ordering):
    columns, desk, seed = book
    admission = admitted(**columns)
    request = RankingRequest(desk, flag_rules(), ValueParameters(), ordering)
    ranking = rank(admission.portfolio, request, score_by(seed), GREEDY, solve_in_order=solve_in_order)
    check_conservation(admission, ranking.entries)
    assert check_feasible(ranking) <= ranking.assignment.bound_minor


@settings(max_examples=50, deadline=None)
@given(books())
def test_row_order_does_not_change_a_byte(book):
    columns, desk, seed = book
    count = len(columns["account_id"])
    shuffled = np.random.default_rng(seed + 1).permutation(count)
    request = RankingRequest(desk, flag_rules(), ValueParameters())
    first, second = (
        rank(admitted(**columns_).portfolio, request, score_by(seed), GREEDY)
        for columns_ in (columns, {name: column[shuffled] for name, column in columns.items()})
    )
    assert first.entries.digest == second.entries.digest


def test_the_harness_catches_a_person_contacted_twice():
    admission = admitted(account_id=text(["a", "b", "c"]), customer_id=text(["x", "y", "x"]))
    request = RankingRequest(plan(queue("q")), flag_rules(), ValueParameters())
    ranking = rank(admission.portfolio, request, lambda p: outcomes([[0.3, 0.3, 0.4]] * 3), GREEDY)
    check_feasible(ranking)
    assert ranking.entries.queue.tolist() == [0, 0, UNASSIGNED]
    assert ranking.entries.disposition[2] == Disposition.ANOTHER_ACCOUNT_WORKED
    ranking.entries.queue[2] = 0
    with pytest.raises(AssertionError):
        check_feasible(ranking)


def test_the_harness_catches_a_quarantine_that_drops_a_row():
    admission = admitted(account_id=text(["a", "a"]), balance_minor=np.array([100, 200]))
    request = RankingRequest(plan(queue("q")), flag_rules(), ValueParameters())
    entries = rank(admission.portfolio, request, score_by(0), GREEDY).entries
    planted = type(admission)(admission.portfolio, admission.quarantine, admission.row_count + 1)
    with pytest.raises(AssertionError):
        check_conservation(planted, entries)


def test_the_harness_catches_an_overbooked_queue():
    admission = admitted(account_id=text(["a", "b"]))
    desk = plan(queue("q", agents=6 / 480))
    ranking = rank(
        admission.portfolio,
        RankingRequest(desk, flag_rules(), ValueParameters()),
        lambda p: outcomes([[0.3, 0.3, 0.4]] * 2),
        GREEDY,
    )
    check_feasible(ranking)
    ranking.problem.capacity_seconds[:] -= 60
    with pytest.raises(AssertionError):
        check_feasible(ranking)
