"""Laws of every ranking, on random small portfolios: nothing is lost, nothing forbidden, nothing overbooked, nothing unproven."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.desk.queues import ContactEffect
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.solvers import SOLVERS, solve_in_order
from collections_opt.solvers.verifier import verify
from tests.core.factories import admitted, flag_rules, outcomes, plan, queue, text

GREEDY = SOLVERS["greedy"]


def score_by(seed):
    """Return a scorer that draws any distribution, corners included."""

    def score(portfolio):
        rng = np.random.default_rng(seed)
        weight = rng.gamma(rng.choice([0.1, 1.0]), size=(portfolio.account_count, 3)) + 1e-12
        return outcomes(weight / weight.sum(axis=1, keepdims=True))

    return score


@st.composite
def books(draw):
    """Return raw columns with poison in them, a desk and a seed; numpy draws the bulk so that examples stay cheap."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    count, queues = int(rng.integers(0, 13)), int(rng.integers(1, 5))
    ids = [f"a{int(k)}" for k in rng.integers(0, 20, size=count)]
    columns = {
        "account_id": text(ids) if count else np.zeros(0, dtype=object),
        "balance_minor": rng.choice(
            [-5.0, 0.0, 1.0, 5e4, 1e6, 3e9, np.nan, np.inf], size=count, p=[0.05, 0.05, 0.1, 0.3, 0.35, 0.05, 0.05, 0.05]
        ),
        "arrears_minor": rng.integers(0, 60_000, size=count),
        "days_past_due": rng.integers(-1, 200, size=count),
        "contacts_in_window_count": rng.integers(0, 4, size=count),
        **{name: rng.random(count) < 0.05 for name in BLOCK_FLAGS},
    }
    if count and rng.random() < 0.5:  # persons with several accounts, some without an id
        columns["customer_id"] = text([str(name) for name in rng.choice(["", "c1", "c2", "c3", "c4", *ids], size=count)])
    desk = plan(
        *(
            queue(
                f"q{k}",
                agents=float(rng.choice([0.0, 0.01, 0.03, 0.2])),
                buckets=tuple(int(b) for b in rng.choice(7, size=int(rng.integers(0, 4)), replace=False)),
                effect=ContactEffect(float(rng.random()), float(rng.uniform(-0.5, 2)), float(rng.uniform(-0.5, 2)), 0.8),
                specialisms=("vulnerable",) if rng.random() < 0.3 else (),
            )
            for k in range(queues)
        )
    )
    return columns, desk, seed


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


@settings(max_examples=10_000, deadline=None)
@given(books())
def test_laws_of_an_expected_value_ranking(book):
    columns, desk, seed = book
    admission = admitted(**columns)
    request = RankingRequest(desk, flag_rules(), ValueParameters())
    greedy = rank(admission.portfolio, request, score_by(seed), GREEDY)
    best = rank(admission.portfolio, request, score_by(seed), SOLVERS["exact"])
    for ranking in (greedy, best):
        check_conservation(admission, ranking.entries)
        objective = check_feasible(ranking)
        assert objective == ranking.assignment.objective_minor <= ranking.assignment.bound_minor
        assert not verify(ranking.problem, ranking.assignment).findings
    assert best.assignment.objective_minor >= greedy.assignment.objective_minor
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
