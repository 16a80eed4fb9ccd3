"""One lender of a world learns, another of the same world decides: what every world's trial shares.

Outcomes without contact and values are learned from one lender, effects from the log of a second one, and a third one's accounts
are ranked: no account is in two of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from collections_opt.application.settings import bundled_parameters, bundled_rules, read_parameters
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import UNASSIGNED, AssignmentProblem, SolveOptions
from collections_opt.core.ranking.ordering import Ordering, priority_in_queue, raw_order_key
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.core.rules.eligibility import evaluate
from collections_opt.core.value.effects import ContactEffects
from collections_opt.core.value.parameters import NO_FLAT_VALUES
from collections_opt.core.value.payoffs import LearnedValues, ValueParameters
from collections_opt.datasets.roll_rates import measured_parameters
from collections_opt.datasets.simulated_lender.truth import PotentialOutcomes, potential_outcomes
from collections_opt.datasets.simulated_lender.worlds import World
from collections_opt.scoring.effect.rows import EffectPeriod, LoggedContacts, logged_contacts
from collections_opt.solvers import SOLVERS, fill_in_order
from harness.benchmarks.support.cases import ROOT
from harness.worlds.lab import GAP_TARGET, WORLD_VALUE, Arena, fit_outcomes, money_of, score_with, true_money

EffectsOf = Callable[[Portfolio, CapacityPlan], ContactEffects]

CAPACITY_SHARE = 0.2
"""Time for so many of the accounts to decide."""

USUAL_RANDOMISED = 0.05
"""Randomised share of the lenders whose log is not what is varied."""


@dataclass(frozen=True)
class Grounds:
    """What a lender knows besides effects: outcomes without contact, and values measured on the same months."""

    booster: lgb.Booster
    parameters: ValueParameters


@dataclass(frozen=True)
class Money:
    """A list in true money and in its own, minor units; ``low`` and ``high`` are the range that it states."""

    true: float
    expected: float
    chosen_by: float
    low: float
    high: float
    worked: int


def learn_grounds(world: World, seed: int, book: int) -> Grounds:
    """Learn outcomes from the uncontacted account-months of a lender, and measure values by product on all of them."""
    history = world.lender(seed, book, USUAL_RANDOMISED).history(world.training_months)
    periods = []
    for month in history:
        portfolio = admit(month.snapshot.raw).portfolio
        rows = month.snapshot.rows_of(portfolio)
        alone = np.flatnonzero(~month.log.contacted[rows])
        periods.append((portfolio.take(alone), month.snapshot.outcome[rows][alone]))
    value = measured_parameters(WORLD_VALUE, [month.snapshot for month in history], [month.recovery_minor for month in history])
    return Grounds(fit_outcomes(periods, seed), value)


def contact_log(world: World, seed: int, book: int, randomised: float, grounds: Grounds) -> LoggedContacts:
    """Return the log of another lender, its accounts scored by a model that never saw them."""
    history = world.lender(seed, book, randomised).history(world.training_months)
    periods = []
    for month in history:
        portfolio = admit(month.snapshot.raw).portfolio
        periods.append(EffectPeriod(portfolio, score_with(grounds.booster, portfolio), month.log))
    return logged_contacts(periods, world.plan(0.02 * book))


def part_of(contacts: LoggedContacts, share: float, seed: int) -> LoggedContacts:
    """Return the rows of a share of the accounts, drawn at random: the log of a lender so much smaller."""
    _, account = np.unique(contacts.log.account_id, return_inverse=True)
    drawn = np.random.default_rng(seed).random(int(account.max(initial=-1)) + 1)
    return contacts.take(drawn[account] < share)


def shipped_values(world: World) -> ValueParameters:
    """Return what a lender has that measured nothing: the shipped card's values, the example's of loans, for each product.

    A product for which nothing is shipped takes the values of the loan.
    """
    card, loan = bundled_parameters(), read_parameters(ROOT / "examples/parameters.toml").products["PERSONAL_LOAN"]
    products = {p.code: card.products["CREDIT_CARD"] if p.is_card else loan for p in world.parameters.products}
    return replace(card, products=products, **NO_FLAT_VALUES)


def decide_in(world: World, seed: int, book: int, parameters: ValueParameters) -> Arena:
    """Return the month in which another lender of the world decides, with its truth."""
    lender = world.lender(seed, book, USUAL_RANDOMISED)
    lived = lender.month(world.deciding_month)
    portfolio = admit(lived.snapshot.raw).portfolio
    plan = world.plan(CAPACITY_SHARE * portfolio.account_count)
    rows = lived.snapshot.rows_of(portfolio)
    truth = aligned_truth(potential_outcomes(lender, world.deciding_month, plan), rows)
    request = RankingRequest(plan, bundled_rules(), parameters, options=SolveOptions(gap_target=GAP_TARGET))
    return Arena(portfolio, truth, request, lived)


def aligned_truth(whole: PotentialOutcomes, rows: NDArray[np.int64]) -> PotentialOutcomes:
    """Return the truth of some rows."""
    return PotentialOutcomes(**{name: getattr(whole, name)[rows] for name in PotentialOutcomes.__dataclass_fields__})


def ranked(place: Arena, grounds: Grounds, effects_of: EffectsOf, parameters: ValueParameters | None = None) -> Ranking:
    """Rank an arena by expected value."""
    request = replace(place.request, parameters=parameters or grounds.parameters)
    return rank(
        place.portfolio,
        request,
        lambda portfolio: score_with(grounds.booster, portfolio),
        SOLVERS["pricing"],
        learned=LearnedValues(effects_of),
    )


def money_of_ranking(place: Arena, made: Ranking) -> Money:
    """Return a ranking's list in true money and as it states it."""
    stated = made.stated
    return Money(
        true_money(place, made.entries.queue, made.entries.priority),
        float(stated.expected_minor),
        float(stated.chosen_by_minor),
        *(float(end) for end in stated.range_minor),
        int((made.entries.queue != UNASSIGNED).sum()),
    )


def money_of_order(place: Arena, made: Ranking, ordering: Ordering) -> float:
    """Return the true money of a raw order, routed by the ranking's increments, the most favourable routing."""
    key = raw_order_key(ordering, place.portfolio, made.outcomes, made.worth, 1)
    queue = fill_in_order(key, made.problem)[0]
    return true_money(place, queue, priority_in_queue(queue, key))


def money_of_oracle(place: Arena) -> float:
    """Return the true money of the list that knows the truth, under the same rules, time and persons."""
    return money_of_estimate(place, place.truth.increment_minor, place.true_seconds)


def money_of_estimate(place: Arena, increment: NDArray[np.float64], seconds: NDArray[np.uint16]) -> float:
    """Return the true money of the list that is best by estimated increments, float64 (n, q) minor units."""
    request = place.request
    blocked = evaluate(place.portfolio, request.plan, request.rules).blocked_by
    persons = persons_of(place.portfolio) if request.one_contact_per_person else None
    problem = AssignmentProblem(money_of(increment, blocked), seconds, request.plan.capacity_seconds, None, persons)
    answer = SOLVERS["pricing"](problem, SolveOptions(gap_target=GAP_TARGET))
    chosen = np.maximum(answer.queue, 0)
    rows = np.arange(chosen.size)
    return true_money(place, answer.queue, priority_in_queue(answer.queue, increment[rows, chosen] / seconds[rows, chosen]))
