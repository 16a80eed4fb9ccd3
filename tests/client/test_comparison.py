"""Orders compared over the API on real accounts: under the same limits, with what happened, and the same a second time."""

from __future__ import annotations

import numpy as np
import pytest

from collections_opt.application.settings import bundled_plan
from collections_opt.client.comparison import ComparisonTerms, compare_orders, repeatable_request_id
from collections_opt.client.plain import plain
from collections_opt.client.portfolios import import_portfolio
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.known_outcomes import KnownOutcomes
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.datasets.credit_card import load_accounts, snapshot
from tests.support.serving.servers import real

PLAN = bundled_plan().plan_id


@pytest.fixture(scope="module")
def august():
    return snapshot(load_accounts(), 8)


@pytest.fixture(scope="module")
def client(tmp_path_factory, august):
    with real(tmp_path_factory.mktemp("data")) as client:
        import_portfolio(client, "august", august.raw)
        yield client


def outcomes_of(shot, rows=slice(None)):
    ids = np.array(shot.raw.columns["account_id"].tolist(), dtype="S")[rows]
    return KnownOutcomes(ids, shot.cash_minor[rows], shot.outcome[rows] == 0, shot.rolled_worse[rows])


def test_every_order_is_compared_with_the_first_and_a_second_run_finds_the_same(client, august):
    told = []
    known = outcomes_of(august)
    compared = compare_orders(client, "august", PLAN, 1, known, progress=told.append)
    first = compared.outcomes[0]
    assert [o.ordering for o in compared.outcomes] == list(Ordering)
    assert (first.overlap, first.entering, first.leaving) == (1.0, 0, 0)
    assert first.cash_difference.value == first.cash_difference.high == 0
    for outcome in compared.outcomes[1:]:
        assert outcome.incremental_minor <= first.incremental_minor
        assert outcome.cash.low <= outcome.cash.value <= outcome.cash.high
        assert outcome.cash_difference.value == outcome.cash.value - first.cash.value
    assert told[-1].fraction == 1.0
    assert compare_orders(client, "august", PLAN, 1, known) == compared


def test_chosen_orders_without_outcomes(client):
    compared = compare_orders(client, "august", PLAN, 1, None, (Ordering.BALANCE, Ordering.EXPECTED_VALUE))
    assert [o.ordering for o in compared.outcomes] == [Ordering.BALANCE, Ordering.EXPECTED_VALUE]
    assert all(o.cash is None for o in compared.outcomes)


def test_orders_are_compared_under_the_same_constraints(client):
    constraints = RankingConstraints((AccountLimit("few", LimitKind.AT_MOST, account_count=50),), exploration_share=0.02)
    orders = (Ordering.EXPECTED_VALUE, Ordering.P_CURE)
    compared = compare_orders(client, "august", PLAN, 1, None, orders, terms=ComparisonTerms(constraints))
    assert [o.worked_count for o in compared.outcomes] == [50, 50]
    assert compared.outcomes[1].incremental_minor < compared.outcomes[0].incremental_minor
    assert compared.rankings[0].exploration.drawn_count == compared.rankings[1].exploration.drawn_count > 0
    free = compare_orders(client, "august", PLAN, 1, None, orders[1:])
    assert free.rankings[0].ranking_id != compared.rankings[1].ranking_id


def test_an_account_without_an_outcome_stops_the_comparison(client, august):
    with pytest.raises(CollectionsError, match="1 account"):
        compare_orders(client, "august", PLAN, 1, outcomes_of(august, slice(1, None)), (Ordering.BALANCE,))


def test_a_ranking_as_plain_values_keeps_numbers_and_names(client):
    ranking = compare_orders(client, "august", PLAN, 1, None, (Ordering.BALANCE,)).rankings[0]
    content = plain(ranking)
    assert content["quality"]["objective_minor_units"] == ranking.quality.objective_minor_units
    assert content["inputs"]["ordering"] == "ORDERING_BALANCE"
    assert content["queues"][0]["queue_id"] == ranking.queues[0].queue_id
    assert content["inputs"]["value_parameters"]["products"]["CREDIT_CARD"]["loss_given_default"] == 0.75


def test_request_ids_follow_from_their_basis():
    assert repeatable_request_id("a", 1) == repeatable_request_id("a", 1) != repeatable_request_id("a1")
