"""Reasons of the increment: what facts add to an effect that is linear in them, exactly, in money, beside the scores."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.answers.increment_reasons import increment_reasons
from collections_opt.core.accounts.admission import admit
from collections_opt.core.problem.assignment import INELIGIBLE
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.core.value.payoffs import LearnedValues
from collections_opt.scoring.contact.model import ReachedEffects
from collections_opt.scoring.effect.residual.basis import column_groups, column_names
from collections_opt.scoring.effect.residual.model import planned_change
from collections_opt.scoring.outcome.scorer import reason_groups
from collections_opt.solvers.greedy import solve_greedy
from tests.support.books.evidence_worlds import PLAN, book, values
from tests.support.factories import flag_rules
from tests.support.models.residuals import residual_model
from tests.support.models.served import contact_model


def learned():
    model = residual_model(intercept=0.3)
    first, second = model.queues
    return replace(model, queues=(replace(first, queue_id="calls"), replace(second, queue_id="letters")))


@pytest.fixture(scope="module")
def made():
    portfolio = admit(book(300)).portfolio
    count = portfolio.account_count
    chances = np.random.default_rng(1).dirichlet([4.0, 2.0, 4.0], count)
    outcomes = OutcomeProbabilities(chances, "m", "c")
    request = RankingRequest(PLAN, flag_rules(), values())
    return rank(portfolio, request, lambda _: outcomes, solve_greedy, learned=LearnedValues(learned().effects_of))


def told(made, effects_of, pushes=None):
    pushes = np.zeros((made.portfolio.account_count, len(reason_groups()), 3)) if pushes is None else pushes
    return increment_reasons(made, pushes, reason_groups(), PLAN, values(), effects_of, count=9).rows()


def test_the_reasons_add_up_to_what_facts_add_to_the_effect(made):
    effects, chances = learned().effects_of(made.portfolio, PLAN), made.outcomes.probability
    reasons = told(made, learned().effects_of)
    value = made.problem.value
    calls = np.flatnonzero((value.argmax(axis=1) == 0) & (value[:, 0] != INELIGIBLE))
    assert calls.size > 50
    everyone = slice(0, chances.shape[0])
    names, groups = column_names(("STORE_CARD",)), column_groups(("STORE_CARD",))
    nameless = [names.index(name) for name, group in zip(names, groups, strict=True) if not group]
    scores = effects.column_contributions(everyone, 0, chances)[:, nameless].sum(axis=1)
    contacts = made.portfolio.column("contacts_in_window_count").astype(np.float64)
    planned = [0.8, 1.0] * planned_change(chances, contacts, learned().queues[0].planned)
    change = effects.block(everyone, 0, chances).change
    worth = made.worth
    cure, default = (change.cure - planned[:, 0] - scores[:, 0], change.default - planned[:, 1] - scores[:, 1])
    expected = cure * (worth.cure - worth.stay) - default * (worth.stay - worth.default)
    found = np.array([sum(reason.contribution for reason in reasons[row]) for row in calls])
    assert np.allclose(found, expected[calls])
    assert (np.abs(found) > 1.0).any()
    codes = {reason.code.split("_")[0] for found in reasons for reason in found}
    assert codes <= {"DELINQUENCY", "PAYMENTS", "BALANCE", "UTILISATION", "TENURE", "CONTACTS", "PRODUCT"}
    assert {"DELINQUENCY", "PAYMENTS"} <= codes


def test_rates_of_contact_change_nothing_and_a_plan_tells_nothing(made):
    def reached(portfolio, plan):
        return ReachedEffects(contact_model(), learned().effects_of(portfolio, plan), portfolio, plan)

    assert told(made, reached) == told(made, learned().effects_of)
    assert set(told(made, PlannedEffects)) == {()}
