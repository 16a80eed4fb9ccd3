"""Readings: the regression's figures, both intervals' promise, small arms refused, doubtful draws named, stops by the rule."""

import numpy as np
import pytest
import statsmodels.api as sm

from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import StopRule
from collections_opt.core.experiments.power import MIN_ARM_PERSONS
from collections_opt.core.experiments.reading import ArmMoments, EnteredPersons, anytime_factor, contrast, read_experiment


def world(people=6_000, effect=40.0, share=0.2, seed=1, queues=2):
    generator = np.random.default_rng(seed)
    prediction = generator.gamma(2.0, 500.0, people)
    held = generator.random(people) < share
    noise = generator.gamma(0.5, 600.0, people) - 300.0
    cash = 0.7 * prediction + noise + np.where(held, 0.0, effect)
    return EnteredPersons(
        arm=np.where(held, int(Arm.HELD_OUT), int(Arm.CONTACT)).astype(np.uint8),
        queue=generator.integers(0, queues, people).astype(np.int16),
        prediction=prediction,
        outcomes={"cash": cash, "cure": (generator.random(people) < np.where(held, 0.3, 0.4)).astype(np.float64)},
    )


def test_the_effect_is_that_of_the_interacted_regression():
    persons = world()
    contact, held = (persons.arm == arm for arm in (Arm.CONTACT, Arm.HELD_OUT))
    y, x = persons.outcomes["cash"], persons.prediction - persons.prediction.mean()
    found = contrast(*(ArmMoments.of(x[arm], y[arm]) for arm in (contact, held)))
    columns = np.column_stack([np.ones(x.size), contact, x, contact * x])
    fitted = sm.OLS(y, columns).fit(cov_type="HC2")
    assert float(found.effect) == pytest.approx(fitted.params[1], rel=1e-9)
    assert float(found.error) == pytest.approx(fitted.bse[1], rel=0.02)


def test_what_is_predicted_narrows_the_interval():
    persons = world()
    with_it = read_experiment(persons, 200_000_000, 6_000).groups[0].effects[0]
    blind = EnteredPersons(persons.arm, persons.queue, np.zeros(6_000), persons.outcomes)
    without = read_experiment(blind, 200_000_000, 6_000).groups[0].effects[0]
    assert (with_it.fixed_high - with_it.fixed_low) < 0.8 * (without.fixed_high - without.fixed_low)
    assert without.effect == pytest.approx(without.mean_contact - without.mean_held_out)


def test_the_anytime_interval_holds_the_fixed_one_and_is_narrowest_where_it_was_planned():
    for effect in read_experiment(world(), 200_000_000, 6_000).groups[0].effects:
        assert effect.anytime_low < effect.fixed_low < effect.effect < effect.fixed_high < effect.anytime_high
    counts = np.array([100.0, 1_000.0, 10_000.0, 100_000.0])
    factor = anytime_factor(counts, 1_000.0)
    assert (factor > 1.96).all()
    assert factor.argmin() == 1


def test_daily_looks_cover_together_what_the_fixed_interval_does_not():
    runs, looks, daily = 300, 40, 100
    generator = np.random.default_rng(11)
    held = generator.random((runs, looks * daily)) < 0.3
    outcome = generator.exponential(100.0, held.shape) + np.where(held, 0.0, 10.0)
    ends = np.arange(1, looks + 1) * daily - 1

    def moments(mask):
        sums = [np.cumsum(np.where(mask, each, 0.0), axis=1)[:, ends] for each in (np.ones_like(outcome), outcome, outcome**2)]
        nothing = np.zeros_like(sums[0])
        return ArmMoments(sums[0], nothing, sums[1], nothing, nothing, sums[2])

    found = contrast(moments(~held), moments(held))
    later = slice(6, None)

    def covered(low, high):
        return ((low <= 10.0) & (high >= 10.0))[:, later].all(axis=1).mean()

    assert covered(*found.anytime(looks * daily)) >= 0.95
    assert covered(*found.fixed()) < 0.9  # planted: looking daily at an interval that is right once


def test_small_arms_are_refused_with_the_number_needed():
    reading = read_experiment(world(people=900, share=0.1), 100_000_000, 6_000, queues=2)
    everyone = reading.groups[0]
    assert everyone.refused
    assert (everyone.effects, everyone.needed_count) == ((), MIN_ARM_PERSONS)
    assert everyone.held_out_count < MIN_ARM_PERSONS <= everyone.contact_count


def test_queues_add_up_to_all_and_each_is_read_where_it_may_be():
    reading = read_experiment(world(queues=3), 200_000_000, 6_000, queues=4)
    everyone, *queues = reading.groups
    assert [group.queue for group in queues] == [0, 1, 2]
    assert sum(group.held_out_count for group in queues) == everyone.held_out_count
    assert all(group.effects for group in queues)


def test_arms_that_no_draw_of_that_share_gives_are_named():
    assert not read_experiment(world(), 200_000_000, 6_000).draw_doubted
    doubted = read_experiment(world(effect=500.0), 150_000_000, 6_000, StopRule.CASH_DECIDED)
    assert doubted.draw_doubted
    assert not doubted.may_stop


def test_it_ends_early_by_the_declared_rule_alone():
    strong, none = world(effect=500.0), world(effect=0.0)
    assert read_experiment(strong, 200_000_000, 6_000, StopRule.CASH_DECIDED).may_stop
    assert not read_experiment(strong, 200_000_000, 6_000, StopRule.LAST_DAY).may_stop
    assert not read_experiment(none, 200_000_000, 6_000, StopRule.CASH_DECIDED).may_stop


def test_nobody_yet_is_no_error():
    nobody = EnteredPersons(np.zeros(0, np.uint8), np.zeros(0, np.int16), np.zeros(0), {"cash": np.zeros(0)})
    reading = read_experiment(nobody, 200_000_000, 6_000)
    assert (reading.groups[0].refused, reading.arms_z, reading.may_stop) == (True, 0.0, False)
