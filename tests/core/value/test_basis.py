"""One basis values accounts: a ranking holds the cells that its basis gives anybody, and nothing is passed by its place."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.ranking.ranking import make_entries
from collections_opt.core.value.basis import ValueBasis, value_accounts
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.outcomes import quantised
from collections_opt.core.value.payoffs import LearnedValues, ValueParameters
from collections_opt.solvers.greedy import solve_greedy
from tests.support.factories import admitted, flag_rules, outcomes, plan, queue, text

DESK = plan(queue("calls", agents=0.05), queue("letters", agents=0.05))


def losses_of(portfolio):
    return np.linspace(0.2, 0.9, portfolio.account_count)


@pytest.fixture(scope="module")
def book():
    count = 40
    portfolio = admitted(account_id=text([f"a{i:03d}" for i in range(count)])).portfolio
    return portfolio, quantised(outcomes(np.random.default_rng(3).dirichlet([2.0, 2.0, 3.0], count)))


@pytest.mark.parametrize("losses", [None, losses_of])
def test_a_ranking_holds_what_its_basis_gives(book, losses):
    portfolio, scored = book
    request = RankingRequest(DESK, flag_rules(), ValueParameters())
    made = rank(portfolio, request, lambda _: scored, solve_greedy, learned=LearnedValues(losses_of=losses))
    basis = ValueBasis(DESK, request.rules, request.parameters, LearnedValues(losses_of=losses))
    for named in (basis, basis.knowing(PlannedEffects(portfolio, DESK))):
        valued = value_accounts(portfolio, scored, named)
        assert np.array_equal(valued.problem.value, made.problem.value)
        assert np.array_equal(valued.worth.loss_given_default, made.worth.loss_given_default)
        entries = make_entries(valued.bound_by(made.problem.side, made.problem.persons), made.assignment)
        assert entries.digest == made.entries.digest


def test_another_plan_leaves_the_rest_as_it_is(book):
    portfolio, scored = book
    basis = ValueBasis(DESK, flag_rules(), ValueParameters(), LearnedValues(losses_of=losses_of))
    letters = replace(DESK, queues=DESK.queues[1:])
    under = value_accounts(portfolio, scored, basis.under(letters))
    assert np.array_equal(under.problem.value[:, 0], value_accounts(portfolio, scored, basis).problem.value[:, 1])


def test_what_gives_effects_and_losses_is_named_and_never_passed_by_place():
    keyword = {name for name, each in inspect.signature(rank).parameters.items() if each.kind is each.KEYWORD_ONLY}
    assert keyword == {"learned", "solve_in_order"}
