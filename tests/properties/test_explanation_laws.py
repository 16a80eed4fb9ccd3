"""What an explanation says would change a decision does change it, on random books through the whole core."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.core.ranking.explanation import WhyNot, explain, minutes_ahead, summary_sentence
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.ranking.placement import place
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.solvers import SOLVERS
from tests.support.books.drawn import books, score_by
from tests.support.factories import admitted, flag_rules, plan, queue

PARAMETERS = ValueParameters()


def ranked(book, solver):
    columns, desk, seed = book
    portfolio = admitted(**columns).portfolio
    request = RankingRequest(desk, flag_rules(), PARAMETERS)
    return rank(portfolio, request, score_by(seed), SOLVERS[solver]), desk


def decided(ranking, row, queue=0, increment=None, price=None):
    """Return where prices put an account after one change."""
    problem, prices = ranking.problem, ranking.assignment.prices.copy()
    if increment is not None:
        value = problem.value.copy()
        value[row, queue] = increment
        problem = replace(problem, value=value)
    if price is not None:
        prices[queue] = price
    return int(place(problem, prices, ranking.assignment.side_prices).queue[row])


def check_explanation(ranking, desk, row, change=lambda explanation: explanation):
    effects = PlannedEffects(ranking.portfolio, desk)
    ahead = minutes_ahead(ranking.entries, ranking.problem.value[row], ranking.problem.seconds[row])
    found = [change(e) for e in explain(ranking, row, desk, effects, PARAMETERS, ahead)]
    worked = int(ranking.entries.queue[row])
    assert [e.verdict is WhyNot.WORKED_HERE for e in found] == [index == worked for index in range(len(found))]
    for index, each in enumerate(found):
        if each.verdict is WhyNot.BLOCKED:
            assert (each.least_increment_minor, each.highest_price_per_minute_minor, each.minutes_ahead) == (0, None, 0.0)
            continue
        assert decided(ranking, row, index, increment=each.least_increment_minor) == index
        assert decided(ranking, row, index, increment=each.least_increment_minor - 1) != index
        if each.highest_price_per_minute_minor is None:
            assert decided(ranking, row, index, price=0) != index
        else:
            price = round(each.highest_price_per_minute_minor * PRICE_SCALE / 60)
            assert decided(ranking, row, index, price=price) == index
            assert decided(ranking, row, index, price=price + 1) != index
        if each.verdict is WhyNot.COSTS_MORE_THAN_IT_EARNS:
            assert each.increment_minor <= 0
        if each.verdict is WhyNot.PRICED_OUT:
            assert each.least_increment_minor > each.increment_minor > 0
    return found


@settings(max_examples=500, deadline=None)
@given(books(), st.sampled_from(["exact", "pricing", "greedy"]))
def test_every_counterfactual_of_an_explanation_flips_the_decision(book, solver):
    ranking, desk = ranked(book, solver)
    for row in range(ranking.portfolio.account_count):
        found = check_explanation(ranking, desk, row)
        disposition = Disposition(int(ranking.entries.disposition[row]))
        sentence = summary_sentence(disposition, tuple(found), "USD")
        assert sentence.startswith("Worked in" if disposition is Disposition.ASSIGNED else "Not worked")


@settings(max_examples=500, deadline=None)
@given(books())
def test_minutes_ahead_are_those_of_denser_unworked_accounts_nearest_to_the_queue(book):
    ranking, desk = ranked(book, "exact")
    entries, problem = ranking.entries, ranking.problem
    for row in range(ranking.portfolio.account_count):
        expected = np.zeros(len(desk.queues))
        for other in range(ranking.portfolio.account_count):
            queue = int(entries.best_queue[other])
            if entries.queue[other] == UNASSIGNED and entries.disposition[other] == Disposition.PRICED_OUT:
                mine = problem.value[row, queue] / problem.seconds[row, queue]
                if entries.increment_minor[other] / entries.seconds[other] > mine:
                    expected[queue] += entries.seconds[other] / 60
        np.testing.assert_allclose(minutes_ahead(entries, problem.value[row], problem.seconds[row]), expected)


def test_the_harness_catches_an_explanation_that_is_a_cent_off():
    rng = np.random.default_rng(3)
    columns = {
        "account_id": np.array([f"a{k}" for k in range(12)], dtype=object),
        "balance_minor": rng.integers(50_000, 5_000_000, 12),
        "arrears_minor": rng.integers(1_000, 50_000, 12),
    }

    ranking, desk = ranked((columns, plan(queue("a", agents=0.03), queue("b", agents=0.01)), 3), "exact")
    check_explanation(ranking, desk, 0)
    with pytest.raises(AssertionError):
        check_explanation(ranking, desk, 0, lambda e: replace(e, least_increment_minor=e.least_increment_minor + 1))
