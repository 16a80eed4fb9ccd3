"""Contact effects: what a holdout teaches, what a chosen log may teach, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.accounts.features import FEATURE_NAMES, build_features
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import CollectionsError
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.datasets.simulated_lender import desk_plan
from collections_opt.scoring.effect.experiment import learn_experiment, planned_prior
from collections_opt.scoring.effect.likelihood import EffectPrior, Spread, fit_effects
from collections_opt.scoring.effect.model import EffectModel
from collections_opt.scoring.effect.observational import learn_observational, measure_overlap
from collections_opt.scoring.effect.randomisation import balance
from collections_opt.scoring.effect.segments import DEFAULT_SEGMENTS, declare_segments
from harness.worlds.lab import as_if_randomised, confounded_only, train_world
from tests.support.models.planted import made_rows

PLAN = desk_plan(1_000)


@pytest.fixture(scope="module")
def world():
    return train_world(3, 60_000, (0, 4))


@pytest.fixture(scope="module")
def segments(world):
    return declare_segments(DEFAULT_SEGMENTS, world.contacts.features)


@pytest.fixture(scope="module")
def learned(world, segments):
    return learn_experiment(world.contacts, PLAN, segments)


def test_without_rows_the_effect_is_the_plans_to_the_bit(world, segments):
    empty = world.contacts.take(np.zeros(world.contacts.log.row_count, dtype=bool))
    model = learn_experiment(empty, PLAN, segments)
    assert all(queue.evidence is EvidenceGrade.ASSUMED for queue in model.queues)
    fit = fit_effects(made_rows(np.random.default_rng(1), 0, [[[0.0, 0.0], [0.0, 0.0]]]), EffectPrior(np.array([[0.7, 0.4]])))
    assert np.array_equal(fit.theta[0, :, 0], [0.7, 0.4])
    assert np.array_equal(fit.theta[0, :, 1], [0.0, 0.0])


def test_many_rows_overrule_the_plan_and_few_do_not():
    theta = [[[1.2, 0.4], [0.5, 0.0]]]
    prior = EffectPrior(np.array([[0.2, 0.2]]), Spread(0.3, 0.3), Spread(0.2, 0.2))
    rng = np.random.default_rng(2)
    many, few = fit_effects(made_rows(rng, 60_000, theta), prior), fit_effects(made_rows(rng, 60, theta), prior)
    assert np.allclose(many.theta[0], theta[0], atol=0.15)
    assert abs(few.theta[0, 0, 0] - 0.2) < 0.3
    assert np.sqrt(few.covariance[0, 0, 0]) > 3 * np.sqrt(many.covariance[0, 0, 0])


def test_a_wrong_outcome_model_is_corrected_and_not_taken_for_an_effect():
    rows = made_rows(np.random.default_rng(3), 40_000, [[[0.6, 0.0], [0.3, 0.0]]])
    off = replace(rows, offset=rows.offset + np.array([0.8, -0.5]))
    fit = fit_effects(off, EffectPrior(np.array([[0.6, 0.3]])))
    assert np.allclose(fit.base[:, 0], [-0.8, 0.5], atol=0.15)
    assert abs(fit.theta[0, 0, 0] - 0.6) < 0.15


def test_the_holdout_finds_the_truth_within_its_intervals(learned):
    calls = learned.queues[0]
    assert calls.evidence is EvidenceGrade.EXPERIMENT
    assert calls.cure.low < calls.cure.value < calls.cure.high
    assert calls.cure.low > 0
    assert learned.queues[-1].evidence is EvidenceGrade.ASSUMED
    assert "needed" in learned.queues[-1].reason


def test_predictions_for_a_row_come_from_other_accounts(world, segments, learned):
    rows = learned.rows
    account = rows.log.account_id[0]
    mine = world.contacts.log.account_id == account
    outcome = np.where(mine, (world.contacts.log.outcome + 1) % 3, world.contacts.log.outcome)
    columns = {name: getattr(world.contacts.log, name) for name in world.contacts.log.columns} | {"outcome": outcome}
    other = learn_experiment(
        replace(world.contacts, log=type(world.contacts.log)(world.contacts.log.queue_ids, **columns)),
        PLAN,
        segments,
        learned.prior,
    )
    own = rows.log.account_id == account
    assert np.array_equal(learned.predictions.under[own], other.predictions.under[own])
    assert not np.array_equal(learned.predictions.under, other.predictions.under)


def test_a_confounded_log_passed_off_as_an_experiment_is_refused(world, segments):
    with pytest.raises(CollectionsError, match="cannot have made these contacts") as refused:
        learn_experiment(as_if_randomised(world.contacts), PLAN, segments)
    assert refused.value.violations[0].field.startswith("propensity[")


def test_the_balance_test_is_level_under_honest_chances_of_accounts_and_of_persons():
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(200), [1, 2] * 100)
    for unit in (np.arange(300), person):  # every account has an arm of its own, or all of a person's have one
        values = []
        for _ in range(400):
            covariates = np.column_stack([np.ones(300), rng.normal(size=(300, 3))])
            chance = rng.uniform(0.3, 0.7, 300)[unit]
            contacted = rng.random(300)[unit] < chance
            values.append(balance(contacted, chance, covariates, ("a", "b", "c", "d"), person).p_value)
        assert abs(np.mean(np.array(values) < 0.1) - 0.1) < 0.05


def test_a_protected_proxy_among_the_segments_is_refused(world):
    for name in ("age", "zip_code", "customer_age_band", "Marital Status"):
        with pytest.raises(CollectionsError, match="protected attribute or a listed proxy"):
            declare_segments(("utilisation", name), world.contacts.features)
    with pytest.raises(CollectionsError, match="no feature"):
        declare_segments(("favourite_tune",), world.contacts.features)


def test_no_feature_is_protected():
    from collections_opt.core.accounts.protected import check_no_protected  # noqa: PLC0415 - the rule under test

    check_no_protected(FEATURE_NAMES, "features")


def test_a_chosen_log_is_graded_observational_and_moves_the_average_only(world, segments):
    model = learn_observational(confounded_only(world.contacts), PLAN, 2, segments, planned_prior(PLAN), 1)
    assert model.evidence is EvidenceGrade.OBSERVATIONAL
    assert set(model.theta_cure[1:]) == {0.0}
    naive_rows = confounded_only(world.contacts).log
    mine = naive_rows.queue == 2
    cured = naive_rows.outcome == 0
    naive = cured[mine & naive_rows.contacted].mean() - cured[mine & ~naive_rows.contacted].mean()
    assert naive < 0 < model.cure.value


def test_without_overlap_a_chosen_log_is_refused(world, segments):
    log = world.contacts.log
    by_rule = world.contacts.offset[:, 0] < np.median(world.contacts.offset[:, 0])
    columns = {name: getattr(log, name) for name in log.columns}
    nan = np.full(log.row_count, np.nan)
    columns |= {"contacted": by_rule, "right_party": log.right_party & by_rule, "propensity": nan, "queue_propensity": nan}
    rows = replace(world.contacts, log=type(log)(log.queue_ids, **columns))
    with pytest.raises(CollectionsError, match="different accounts"):
        learn_observational(rows, PLAN, 2, segments, planned_prior(PLAN), 1)
    with pytest.raises(CollectionsError, match="an adjustment needs"):
        learn_observational(rows.take(np.arange(200)), PLAN, 2, segments, planned_prior(PLAN), 1)
    assert measure_overlap(np.array([True, False]), np.array([0.5, 0.5])).share == 1.0


def test_learned_effects_serve_every_block_alike_and_the_plan_where_nothing_was_learned(world, segments, learned):
    from harness.worlds.lab import SimulatedLender, admit  # noqa: PLC0415

    portfolio = admit(SimulatedLender(9, 5_000).month(0).snapshot.raw).portfolio
    model = EffectModel("test-1", segments, learned.queues)
    effects, planned = model.effects_of(portfolio, PLAN), PlannedEffects(portfolio, PLAN)
    whole, chances = slice(0, portfolio.account_count), np.full((portfolio.account_count, 3), 1 / 3)
    for queue in range(len(PLAN.queues)):
        one = effects.block(whole, queue, chances)
        parts = [
            model.effects_of(portfolio, PLAN).block(slice(start, start + 100), queue, chances[start : start + 100])
            for start in range(0, whole.stop, 100)
        ]
        assert np.allclose(np.concatenate([part.theta_cure for part in parts]), one.theta_cure, rtol=1e-12)
        if effects.evidence(queue) is EvidenceGrade.ASSUMED:
            assert np.array_equal(one.theta_cure, planned.block(whole, queue, chances).theta_cure)
    assert effects.evidence(0) is EvidenceGrade.EXPERIMENT
    assert "effect/test-1" in effects.version
    fresh = portfolio.column("contacts_in_window_count") == 0
    tired = portfolio.column("contacts_in_window_count") == 2
    features = build_features(portfolio).matrix
    assert features.shape[0] == whole.stop
    theta = abs(effects.block(whole, 0, chances).theta_cure)
    assert theta[fresh].mean() > theta[tired].mean()


def test_few_rows_whose_scores_are_far_off_settle_too():
    rng = np.random.default_rng(46)  # of 60 seeds the one at which sixty steps are too few
    rows = made_rows(rng, 60, rng.normal(size=(5, 2, 2)), base=(0.2, -2.0), queues=5)
    off = rows.offset + np.column_stack([rng.choice([0.0, 5.0, -5.0], 60), rng.choice([0.0, 6.0, -6.0], 60)])
    fit = fit_effects(replace(rows, offset=off), EffectPrior(np.ones((5, 2)), Spread(0.8, 0.8), Spread(0.8, 0.8)))
    assert np.isfinite(fit.theta).all()
