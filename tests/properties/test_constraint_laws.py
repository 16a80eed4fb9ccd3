"""Laws of rankings under constraints: caps hold, floors hold or are reported, minutes hold, row order changes nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints, Segment
from collections_opt.core.problem.exploration import PROPENSITY_SCALE
from collections_opt.core.problem.side_constraints import NOT_COMPARED, members
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import PreviousDecisions, RankingRequest, rank
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.solvers import solve_in_order, solve_pricing, verify
from tests.support.books.drawn import books, score_by
from tests.support.factories import admitted, flag_rules

EARLY, LATE = Segment(buckets=(0, 1)), Segment(buckets=(2, 3, 4, 5, 6))


def request_for(desk, seed, count, ordering=Ordering.EXPECTED_VALUE):
    rng = np.random.default_rng(seed)
    limits = (
        AccountLimit("cap", LimitKind.AT_MOST, EARLY, account_count=int(rng.integers(0, 3))),
        AccountLimit("floor", LimitKind.AT_LEAST, LATE, segment_share=float(rng.random())),
    )
    ids = np.unique(np.array([f"a{int(k)}".encode() for k in rng.integers(0, 20, count)], dtype="S4"))
    previous = PreviousDecisions(ids, rng.integers(NOT_COMPARED, len(desk.queues), ids.size).astype(np.int16))
    constraints = RankingConstraints(limits, int(rng.integers(0, 6)), float(rng.choice([0.0, 0.3])))
    return RankingRequest(desk, flag_rules(), ValueParameters(), ordering, constraints=constraints, previous=previous)


@settings(max_examples=200, deadline=None)
@given(books(), st.sampled_from(Ordering))
def test_constraints_hold_or_say_by_how_much_they_do_not(book, ordering):
    columns, desk, seed = book
    portfolio = admitted(**columns).portfolio
    request = request_for(desk, seed, 12, ordering)
    seen = []
    ranking = rank(portfolio, request, score_by(seed), solve_pricing, seen.append, solve_in_order=solve_in_order)
    assert verify(ranking.problem, ranking.assignment, ordering is not Ordering.EXPECTED_VALUE).findings == ()
    queue, explored = ranking.entries.queue, ranking.entries.explored == 1
    missing = {shortage.name: shortage.missing for shortage in ranking.assignment.shortages}
    worked = queue != UNASSIGNED
    cap, floor = request.constraints.limits
    assert (worked & members(EARLY, portfolio)).sum() <= cap.account_count + missing.get("cap", 0)
    late = members(LATE, portfolio)
    assert (worked & late).sum() >= floor.segment_share * late.sum() - missing.get("floor", 0) - 1e-9
    before = request.previous.of(portfolio)
    moved = int(((before != NOT_COMPARED) & (queue != before)).sum())
    assert moved <= request.constraints.max_moved_count + missing.get("moves", 0)
    used = ranking.queue_seconds()
    assert (used <= desk.capacity_seconds).all()
    assert (ranking.entries.propensity_nano[~explored] <= PROPENSITY_SCALE).all()
    assert (ranking.entries.propensity_nano > 0).all()
    fractions = [report.fraction for report in seen]
    assert fractions == sorted(fractions)


@settings(max_examples=30, deadline=None)
@given(books(), st.integers(0, 99), st.sampled_from((Ordering.EXPECTED_VALUE, Ordering.BALANCE_BUCKET)))
def test_row_order_changes_no_byte_under_constraints_and_exploration(book, order_seed, ordering):
    columns, desk, seed = book
    shuffled = np.random.default_rng(order_seed).permutation(len(columns["account_id"]))
    request = request_for(desk, seed, 12, ordering)
    first, second = (
        rank(admitted(**given_).portfolio, request, score_by(seed), solve_pricing, solve_in_order=solve_in_order)
        for given_ in (columns, {name: column[shuffled] for name, column in columns.items()})
    )
    assert first.entries.digest == second.entries.digest
    assert first.assignment.prices.tolist() == second.assignment.prices.tolist()
    assert first.assignment.side_prices.tolist() == second.assignment.side_prices.tolist()
