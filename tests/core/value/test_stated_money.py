"""The money to state: what chose is not what is summed; what nobody observed has no interval, but a sensitivity."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.value.effects import (
    EffectFold,
    MoneyScale,
    PlannedEffects,
    ProbabilityChange,
    QueueEffect,
    TotalError,
)
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.core.value.payoffs import LearnedValues, ValueParameters, payoffs
from collections_opt.core.value.stated_money import NORMAL_95, ListedCells, ValueOfContact, state_money
from collections_opt.solvers.greedy import solve_greedy
from tests.support.factories import admitted, flag_rules, plan, queue, text

PARAMETERS = ValueParameters()

COUNT = 4_000
DESK = plan(queue("calls", agents=4.0, variable_cost_per_minute_minor=20))


def book(count=COUNT, seed=0):
    rng = np.random.default_rng(seed)
    portfolio = admitted(
        account_id=text([f"a{i:05d}" for i in range(count)]),
        balance_minor=rng.integers(100_000, 900_000, count),
        arrears_minor=rng.integers(5_000, 90_000, count),
    ).portfolio
    probability = rng.dirichlet([4.0, 3.0, 3.0], count)
    return portfolio, OutcomeProbabilities(probability, "m", "c")


class Noisy:
    """A true change for everybody, and estimates of it by three sets of people, each with noise of its own."""

    version, true = "noisy", 0.03

    def __init__(self, portfolio, _plan, spread=0.04, parts=(0, 1, 2)):
        rows = np.array([int(name[1:]) for name in portfolio.column("account_id").tolist()])
        noise = np.random.default_rng(7).normal(0.0, spread, (3, COUNT))
        self._change = self.true + noise[list(parts)].mean(axis=0)[rows]
        self._remake = lambda some: Noisy(portfolio, _plan, spread, some)
        self._parts = parts

    @property
    def folds(self):
        if len(self._parts) < 3:
            return ()
        return tuple(EffectFold(self._remake(tuple({0, 1, 2} - {one})), self._remake((one,))) for one in range(3))

    def evidence(self, _queue):
        return EvidenceGrade.EXPERIMENT

    def block(self, rows, _queue, _probability):
        change = self._change[rows]
        zero = np.zeros(change.size)
        return QueueEffect(np.full(change.size, 0.5), zero, zero, ProbabilityChange(change, zero))

    def total_error(self, cells):
        return TotalError(1_000.0, np.ones(cells.rows.size, dtype=bool))


def ranked(effects_of):
    portfolio, outcomes = book()
    request = RankingRequest(DESK, flag_rules(), PARAMETERS)
    return rank(portfolio, request, lambda _: outcomes, solve_greedy, learned=LearnedValues(effects_of))


def test_money_chosen_by_noise_is_shrunk_to_what_other_people_say():
    made = ranked(Noisy)
    stated = made.stated
    worked = made.entries.queue >= 0
    true = float((Noisy.true * (made.worth.cure - made.worth.stay))[worked].sum()) - stated.cost_minor
    assert stated.chosen_by_minor == pytest.approx(int(made.entries.increment_minor[worked].sum()), abs=int(worked.sum()))
    assert stated.chosen_by_minor > 1.4 * true
    assert 0.8 < stated.expected_minor / true < 1.25
    assert stated.low_minor < stated.expected_minor < stated.high_minor
    assert stated.assumed_minor == 0


class Drawn(Noisy):
    """Effects of which drawn people were found to leave a share, as well known as said."""

    scale = MoneyScale(0.4, 0.0)

    def total_error(self, cells):
        return replace(super().total_error(cells), scale=self.scale)


def drawn(estimate, error):
    kind = type("Drawn", (Drawn,), {"scale": MoneyScale(estimate, error)})
    return ranked(kind).stated


def test_what_drawn_people_leave_of_the_money_is_stated_as_far_as_it_is_known():
    shrunk = ranked(Noisy).stated
    sure, half, unknown = drawn(0.4, 0.0), drawn(0.4, 0.5), drawn(0.4, 1e6)
    assert sure.shrinkage == pytest.approx(0.4)
    assert (sure.learned_low_minor, sure.learned_high_minor) == (sure.learned_minor, sure.learned_minor)
    assert half.shrinkage == pytest.approx(0.5 * (0.4 + 0.9 * shrunk.shrinkage))
    assert unknown.shrinkage == pytest.approx(0.9 * shrunk.shrinkage)
    gross = half.chosen_by_minor + half.cost_minor
    width = NORMAL_95 * 0.5 * np.linalg.norm([0.5 * gross, 0.5 * gross, 0.9 * shrunk.shrinkage * 1_000.0])
    assert half.learned_high_minor - half.learned_minor == pytest.approx(width, abs=2)
    assert drawn(1.5, 0.0).expected_minor > shrunk.chosen_by_minor


def test_the_range_of_assumed_money_holds_contact_that_does_nothing_and_effects_twice_as_strong():
    stated = ranked(PlannedEffects).stated
    assert stated.range_minor == (-stated.cost_minor, stated.if_double_minor)
    learned = ranked(Noisy).stated
    assert learned.range_minor == (learned.low_minor, learned.high_minor)


def test_without_noise_nothing_is_shrunk():
    stated = ranked(lambda portfolio, made: Noisy(portfolio, made, spread=0.0)).stated
    assert stated.shrinkage == 1.0
    assert stated.expected_minor == stated.chosen_by_minor


def test_assumed_effects_have_no_interval_and_a_sensitivity():
    made = ranked(PlannedEffects)
    stated = made.stated
    assert (stated.low_minor, stated.high_minor, stated.learned_minor, stated.shrinkage) == (None, None, 0, 1.0)
    assert stated.expected_minor == pytest.approx(int(made.entries.increment_minor[made.entries.queue >= 0].sum()), abs=COUNT)
    assert stated.if_half_minor < stated.expected_minor < stated.if_double_minor
    assert 0 < stated.break_even_nano < 10**9


@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_the_sensitivity_is_what_a_plan_of_that_strength_says_of_the_same_list(strength):
    portfolio, outcomes = book()
    made = ranked(PlannedEffects)
    rows = np.flatnonzero(made.entries.queue >= 0)
    effect = DESK.queues[0].effect
    other = replace(effect, theta_cure=strength * effect.theta_cure, theta_default=strength * effect.theta_default)
    value = ValueOfContact(portfolio, plan(replace(DESK.queues[0], effect=other)), outcomes, made.worth, PARAMETERS.cost_basis)
    listed, allowed = ListedCells(rows, np.zeros(rows.size, dtype=np.int64)), made.eligibility.blocked_by == 0
    told = state_money(value, PlannedEffects, listed, allowed, made.assignment.prices)
    assert told.expected_minor == (made.stated.if_half_minor if strength < 1 else made.stated.if_double_minor)


def test_the_order_of_the_listed_accounts_changes_nothing():
    portfolio, outcomes = book()
    made = ranked(Noisy)
    rows = np.flatnonzero(made.entries.queue >= 0)
    value = ValueOfContact(portfolio, DESK, outcomes, payoffs(portfolio, PARAMETERS), PARAMETERS.cost_basis)
    allowed = made.eligibility.blocked_by == 0
    told = [
        state_money(value, Noisy, ListedCells(order, np.zeros(order.size, dtype=np.int64)), allowed, made.assignment.prices)
        for order in (rows, rows[::-1])
    ]
    assert told[0] == told[1] == made.stated


class Shared(Noisy):
    """One coefficient that two queues share: its error is that of the sum of all weights; the third queue is not known."""

    asked = 0

    def total_error(self, cells):
        Shared.asked += 1
        known = cells.queue < 2
        rows = np.array([int(name[1:]) for name in self.portfolio.column("account_id")[cells.rows].tolist()])
        assert np.array_equal(cells.probability, self.everyone[rows])  # the cells are those of their accounts
        return TotalError(0.01 * float(cells.cure[known].sum()), known)

    @classmethod
    def over(cls, everyone):
        def effects_of(portfolio, made):
            effects = cls(portfolio, made)
            effects.portfolio, effects.everyone = portfolio, everyone
            return effects

        return effects_of


def test_the_error_is_asked_for_once_over_all_cells_because_queues_share_coefficients():
    desk = plan(*(queue(name, agents=2.0, variable_cost_per_minute_minor=20) for name in ("calls", "letters", "unknown")))
    portfolio, outcomes = book()
    worth = payoffs(portfolio, PARAMETERS)
    value = ValueOfContact(portfolio, desk, outcomes, worth, PARAMETERS.cost_basis)
    rows = np.random.default_rng(3).permutation(COUNT)[:900]
    listed = ListedCells(rows, np.repeat([2, 0, 1], 300))
    Shared.asked = 0
    told = state_money(
        value, Shared.over(outcomes.probability), listed, np.ones((COUNT, 3), dtype=bool), np.zeros(3, dtype=np.int64)
    )
    assert Shared.asked == 1
    half = 1.959963984540054 * 0.01 * float((worth.cure - worth.stay)[rows[300:]].sum()) * told.shrinkage
    assert told.learned_high_minor - told.learned_minor == pytest.approx(half, abs=2)
    assert told.assumed_minor != 0
    assert told.low_minor is None
