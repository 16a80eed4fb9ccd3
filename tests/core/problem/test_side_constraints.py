"""Constraints as data become the rows they say, against plain counting."""

from __future__ import annotations

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints, Segment, check_constraints
from collections_opt.core.problem.side_constraints import NOT_COMPARED, members, side_constraints
from tests.support.factories import admitted, plan, queue, text

PLAN = plan(queue("Q1"), queue("Q2"), queue("Q3"))
MOST, LEAST = LimitKind.AT_MOST, LimitKind.AT_LEAST


def book(n: int = 200, seed: int = 0):
    rng = np.random.default_rng(seed)
    return admitted(
        account_id=text([f"a{i:04d}" for i in range(n)]),
        product=text(rng.choice(["CREDIT_CARD", "AUTO_LOAN"], n).tolist()),
        state=text(rng.choice(["US-NY", "US-MA", "CA-ON", ""], n).tolist()),
        days_past_due=rng.integers(1, 240, n),
    ).portfolio


def left_hand_sides(side, chosen):
    worked = np.flatnonzero(chosen >= 0)
    counts = np.zeros(side.table.shape[1:], dtype=np.int64)
    np.add.at(counts, (side.group[worked], chosen[worked]), 1)
    return (side.table * counts).sum(axis=(1, 2))


def test_every_kind_of_limit_counts_what_it_says():
    portfolio = book()
    ny, late = Segment(states=("US-NY",)), Segment(products=("AUTO_LOAN",), buckets=(3, 4))
    constraints = RankingConstraints(
        (
            AccountLimit("cap of a queue", MOST, queue_ids=("Q1",), account_count=7),
            AccountLimit("floor", LEAST, ny, account_count=20),
            AccountLimit("share floor", LEAST, Segment(states=("US",)), segment_share=0.1),
            AccountLimit("segment cap", MOST, late, segment_share=0.1),
            AccountLimit("segment in queues", MOST, ny, ("Q2", "Q3"), account_count=3),
        )
    )
    side = side_constraints(portfolio, PLAN, constraints, None)
    chosen = np.random.default_rng(1).integers(-1, 3, 200)
    state, product = portfolio.column("state"), portfolio.column("product")
    bucket = portfolio.column("days_past_due") // 30
    in_ny, in_us = state == b"US-NY", np.char.startswith(state, b"US")
    in_late = (product == b"AUTO_LOAN") & np.isin(bucket, [3, 4])
    worked = chosen >= 0
    expected = [
        (chosen == 0).sum(),
        -(worked & in_ny).sum(),
        -(worked & in_us).sum(),
        (worked & in_late).sum(),
        (in_ny & (chosen >= 1)).sum(),
    ]
    assert left_hand_sides(side, chosen).tolist() == [int(x) for x in expected]
    assert side.limit.tolist() == [7, -20, -int(np.ceil(0.1 * in_us.sum())), int(0.1 * in_late.sum()), 3]
    assert side.names[0] == "cap of a queue"


def test_moves_are_accounts_decided_differently():
    portfolio = book(60, 2)
    rng = np.random.default_rng(3)
    before = rng.integers(NOT_COMPARED, 3, 60).astype(np.int16)
    limits = (AccountLimit("floor", LEAST, Segment(states=("US-NY",)), account_count=2),)
    side = side_constraints(portfolio, PLAN, RankingConstraints(limits, max_moved_count=9), before)
    for _ in range(20):
        chosen = rng.integers(-1, 3, 60)
        moved = int(((before != NOT_COMPARED) & (chosen != before)).sum())
        assert (left_hand_sides(side, chosen)[1] <= side.limit[1]) == (moved <= 9)
        assert left_hand_sides(side, chosen)[1] - side.limit[1] == moved - 9
    stay = np.where(before >= 0, before, UNASSIGNED)
    assert left_hand_sides(side, stay)[1] == side.limit[1] - 9


def test_a_share_of_a_round_number_is_not_pushed_over_by_floating_point():
    portfolio = admitted(account_id=text([f"a{i}" for i in range(30)])).portfolio
    limits = (AccountLimit("floor", LEAST, segment_share=0.1), AccountLimit("cap", MOST, segment_share=0.7))
    assert side_constraints(portfolio, PLAN, RankingConstraints(limits), None).limit.tolist() == [-3, 21]


def test_no_constraints_make_no_rows_and_unknown_states_are_in_no_jurisdiction():
    assert side_constraints(book(5), PLAN, RankingConstraints(exploration_share=0.1), None) is None
    portfolio = admitted(account_id=text(["a", "b"]), state=text(["", "US-NY"])).portfolio
    assert members(Segment(states=("US",)), portfolio).tolist() == [False, True]


def test_many_segments_share_the_sparse_numbering():
    portfolio = book(100, 4)
    states = ["US-NY", "US-MA", "CA-ON"]
    limits = tuple(
        AccountLimit(f"{s}/{b}", MOST, Segment(states=(s,), buckets=(b,)), account_count=b) for s in states for b in range(7)
    )
    side = side_constraints(portfolio, PLAN, RankingConstraints(limits), None)
    everyone = left_hand_sides(side, np.zeros(100, dtype=np.int64))
    assert everyone.tolist() == [int(members(limit.segment, portfolio).sum()) for limit in limits]


@pytest.mark.parametrize(
    ("constraints", "field"),
    [
        (RankingConstraints((AccountLimit("", MOST, account_count=1),)), "constraints.limits[0].name"),
        (RankingConstraints((AccountLimit("moves", MOST, account_count=1),)), "constraints.limits[0].name"),
        (RankingConstraints((AccountLimit("a", MOST),)), "constraints.limits[0]"),
        (RankingConstraints((AccountLimit("a", MOST, account_count=1, segment_share=0.1),)), "constraints.limits[0]"),
        (RankingConstraints((AccountLimit("a", MOST, account_count=-1),)), "constraints.limits[0].account_count"),
        (RankingConstraints((AccountLimit("a", MOST, segment_share=1.5),)), "constraints.limits[0].segment_share"),
        (
            RankingConstraints((AccountLimit("a", MOST, queue_ids=("Q9",), account_count=1),)),
            "constraints.limits[0].queue_ids[0]",
        ),
        (RankingConstraints(max_moved_count=3), "previous_ranking_id"),
        (RankingConstraints(max_moved_count=-1), "constraints.max_moved_count"),
        (RankingConstraints(exploration_share=0.6), "constraints.exploration_share"),
        (RankingConstraints(exploration_share=float("nan")), "constraints.exploration_share"),
    ],
)
def test_constraints_that_say_nothing_are_refused_by_field(constraints, field):
    with pytest.raises(CollectionsError) as refused:
        check_constraints(constraints, PLAN, has_previous=False)
    assert field in [violation.field for violation in refused.value.violations]


def test_too_many_limits_are_refused():
    limits = tuple(AccountLimit(str(i), MOST, account_count=1) for i in range(33))
    with pytest.raises(CollectionsError) as refused:
        check_constraints(RankingConstraints(limits), PLAN, has_previous=False)
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
