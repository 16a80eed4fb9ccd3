"""What must hold on worlds with known truth, at small size; `make bench BENCH=policy_value` shows the full one."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.settings import bundled_rules
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.evaluation.uplift import uplift_curve
from collections_opt.core.problem.assignment import INELIGIBLE
from collections_opt.core.ranking.ordering import priority_in_queue
from collections_opt.core.ranking.pipeline import rank
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.outcomes import CURE
from collections_opt.core.value.valuation import expected_recovery
from collections_opt.datasets.simulated_lender import desk_plan
from collections_opt.scoring.effect import doubly_robust
from collections_opt.scoring.effect.experiment import learn_experiment
from collections_opt.scoring.effect.likelihood import EffectPrior, Spread, fit_effects
from collections_opt.scoring.effect.model import EffectModel
from collections_opt.scoring.effect.segments import DEFAULT_SEGMENTS, declare_segments
from collections_opt.solvers import SOLVERS
from harness.worlds.coverage import Claims, Setting, claim
from harness.worlds.lab import arena, money_by_order, oracle_money, train_world, true_money
from tests.support.models.planted import made_rows


@pytest.fixture(scope="module")
def trained():
    return train_world(1, 90_000, (0, 6))


@pytest.fixture(scope="module")
def experiment(trained):
    segments = declare_segments(DEFAULT_SEGMENTS, trained.contacts.features)
    return segments, learn_experiment(trained.contacts, desk_plan(1_000), segments)


@pytest.fixture(scope="module")
def place(trained):
    return arena(101, 15_000, 5, bundled_rules(), trained.parameters)


def test_expected_value_with_learned_effects_comes_near_the_oracle_and_raw_orders_do_not(trained, experiment, place):
    segments, learned = experiment
    effects = {"learned": EffectModel("small", segments, learned.queues).effects_of, "assumed": PlannedEffects}
    money = money_by_order(trained, place, effects)
    share = {name: value / money["ORACLE"] for name, value in money.items()}
    assert max(share.values()) == 1.0
    assert share["EXPECTED_VALUE learned"] > 0.78
    assert share["EXPECTED_VALUE learned"] > max(share["P_CURE"], share["P_DEFAULT"], share["GROSS_VALUE"], share["RANDOM"])
    assert share["P_CURE"] < share["RANDOM"]  # self-curers first is worse than chance


def test_a_planted_ranking_by_gross_value_loses_true_money(trained, place):
    """The fault: the solver is given the recovery of contacted accounts in place of what contact adds."""
    made = rank(place.portfolio, place.request, trained.score, SOLVERS["pricing"])
    gross = np.rint(expected_recovery(made.outcomes.probability, made.worth)).astype(np.int64)[:, np.newaxis]
    planted = np.where(made.problem.value == INELIGIBLE, INELIGIBLE, np.clip(made.problem.value + gross, 0, 2**31 - 1))
    answer = SOLVERS["pricing"](replace(made.problem, value=planted.astype(np.int32)), place.request.options)
    picked = np.maximum(answer.queue, 0)
    rows = np.arange(picked.size)
    density = planted[rows, picked] / made.problem.seconds[rows, picked]
    fault = true_money(place, answer.queue, priority_in_queue(answer.queue, density))
    honest = true_money(place, made.entries.queue, made.entries.priority)
    assert fault < 0.92 * honest
    assert honest < oracle_money(place, made.eligibility.blocked_by)


def test_the_predicted_effect_finds_whom_contact_helps_better_than_p_cure(experiment):
    _, learned = experiment
    rows, made = learned.rows, learned.predictions
    psi = doubly_robust.scores(
        rows.log.contacted,
        rows.log.propensity,
        (rows.log.outcome == CURE).astype(np.float64),
        made.without[:, CURE],
        made.under[:, CURE],
    )
    effect = uplift_curve((made.under - made.without)[:, CURE], psi, rows.log.account_id, 1)
    assert effect.qini.low > 0
    assert effect.qini.value > uplift_curve(made.without[:, CURE], psi, rows.log.account_id, 1).qini.value


def test_intervals_of_effects_and_policies_cover_in_repeated_worlds(trained, experiment):
    segments, learned = experiment
    setting = Setting(trained.booster, segments, learned.prior, bundled_rules(), trained.parameters, 60_000)
    claims = Claims()
    for seed in range(1_000, 1_012):
        claim(setting, seed, claims)
    shares = claims.coverage()
    count = sum(number for _, number in shares.values())
    covered = sum(share * number for share, number in shares.values()) / count
    assert count > 60
    assert covered > 0.88  # 95 % and three standard errors of about a dozen independent worlds
    assert learned.queues[0].evidence is EvidenceGrade.EXPERIMENT


def test_posterior_intervals_of_theta_cover_when_worlds_come_from_the_prior():
    rng = np.random.default_rng(11)
    prior = EffectPrior(np.array([[0.6, 0.3]]), Spread(0.1, 0.3), Spread(0.05, 0.2))
    inside = []
    for _ in range(120):
        level, slope = rng.normal(0, np.hypot(0.1, 0.3), 2), rng.normal(0, np.hypot(0.05, 0.2), 2)
        theta = np.array([[[0.6 + level[0], slope[0]], [0.3 + level[1], slope[1]]]])
        fit = fit_effects(made_rows(rng, 1_500, theta), prior)
        error = 1.96 * np.sqrt(np.diag(fit.covariance[0]))
        inside.append(np.abs(fit.theta[0].ravel() - theta[0].ravel()) <= error)
    assert 0.92 < np.mean(inside) < 0.98
