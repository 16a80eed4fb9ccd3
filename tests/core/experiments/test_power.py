"""Power and cost: the textbook's figures, the promise kept by simulation, and what cannot be planned refused."""

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError
from collections_opt.core.experiments.power import (
    OutcomeSpread,
    WorkedPersons,
    detectable_minor,
    entering_persons,
    expected_cost,
    persons_needed,
    persons_to_read,
    plan_experiment,
)

SPREAD = OutcomeSpread(30_000.0, 0.6)
WORKED = WorkedPersons(np.array([100, 300]), np.array([400, 800]))


def test_halves_of_equal_size_are_the_textbooks():
    # 16 sigma^2 / delta^2 per arm is the rule of thumb for 80 % at 5 % (Lehr 1992): (1.96 + 0.84)^2 x 2 = 15.7.
    assert persons_needed(OutcomeSpread(10.0), 0.5, 1.0) == pytest.approx(2 * 15.698 * 100, rel=1e-3)
    assert detectable_minor(OutcomeSpread(10.0), 0.5, 3_140) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("spread", [SPREAD, OutcomeSpread(30_000.0, 0.6, 8.0)])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_people_needed_and_effect_found_are_each_others_inverse(spread, share):
    needed = persons_needed(spread, share, 1_500.0)
    assert detectable_minor(spread, share, needed) == pytest.approx(1_500.0, rel=1e-3)


def test_four_of_five_effects_of_the_stated_size_are_found():
    share, people, runs = 0.2, 2_000, 2_000
    generator = np.random.default_rng(7)
    effect = detectable_minor(OutcomeSpread(10.0), share, people)
    held = generator.normal(0.0, 10.0, (runs, int(share * people)))
    contact = generator.normal(effect, 10.0, (runs, people - held.shape[1]))
    error = np.sqrt(held.var(axis=1) / held.shape[1] + contact.var(axis=1) / contact.shape[1])
    found = ((contact.mean(axis=1) - held.mean(axis=1)) / error > 1.96).mean()
    assert abs(found - 0.8) < 0.03


def test_a_prediction_saves_people():
    assert persons_needed(SPREAD, 0.1, 1_000.0) == pytest.approx(
        0.64 * persons_needed(OutcomeSpread(30_000.0), 0.1, 1_000.0), abs=1
    )


def test_cost_is_the_surplus_of_whom_the_draw_meets():
    cost = expected_cost(WORKED, 0.1, 1_000)
    assert (cost.least_minor, cost.most_minor) == (20_000, 60_000)
    assert cost.low_minor < cost.least_minor < cost.high_minor
    surplus = np.resize(WORKED.surplus_minor, 1_000)
    drawn = (np.random.default_rng(5).random((4_000, 1_000)) < 0.1) @ surplus
    assert abs(((drawn >= cost.low_minor) & (drawn <= cost.high_minor)).mean() - 0.95) < 0.015


def test_a_plan_says_all_and_an_unreadable_one_says_no_effect():
    plan = plan_experiment(SPREAD, WORKED, 0.1, 5_000, 2_000.0)
    assert (plan.entering_count, plan.held_out_count, plan.needed_count) == (5_000, 500, persons_needed(SPREAD, 0.1, 2_000.0))
    assert plan.detectable_minor == pytest.approx(detectable_minor(SPREAD, 0.1, 5_000))
    assert plan_experiment(SPREAD, WORKED, 0.1, persons_to_read(0.1) - 1).detectable_minor is None
    assert plan_experiment(SPREAD, WorkedPersons(np.zeros(0, np.int64), np.zeros(0, np.int64)), 0.1, 0).cost.most_minor == 0


def test_people_enter_at_once_and_then_at_the_pace_of_the_past():
    assert entering_persons([1_000, 30, 50], days=2, duration_days=31) == 1_000 + 30 * 40
    assert entering_persons([1_000], days=0, duration_days=31) == 1_000


@pytest.mark.parametrize(
    "call",
    [
        lambda: plan_experiment(OutcomeSpread(0.0), WORKED, 0.1, 100),
        lambda: plan_experiment(OutcomeSpread(1.0, 1.0), WORKED, 0.1, 100),
        lambda: plan_experiment(SPREAD, WORKED, 0.6, 100),
        lambda: plan_experiment(SPREAD, WORKED, 0.1, 100, -3.0),
    ],
)
def test_what_cannot_be_planned_is_refused(call):
    with pytest.raises(CollectionsError):
        call()


def test_skewed_money_needs_more_people_the_fewer_are_left_alone():
    skewed = OutcomeSpread(30_000.0, 0.6, 9.0)
    few, many = (detectable_minor(skewed, 0.1, n) / detectable_minor(SPREAD, 0.1, n) for n in (4_000, 400_000))
    assert few > many > 1.0
    assert detectable_minor(OutcomeSpread(30_000.0, 0.6, -9.0), 0.1, 4_000) == detectable_minor(SPREAD, 0.1, 4_000)
