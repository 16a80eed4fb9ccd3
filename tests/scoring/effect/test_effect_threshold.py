"""A queue that a threshold assigned: its effect is found on a world with known truth, and planted faults are refused."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.contact_log import NO_QUEUE, ContactLog
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.datasets.simulated_lender import desk_plan
from collections_opt.scoring.effect.experiment import planned_prior
from collections_opt.scoring.effect.rows import EffectPeriod
from collections_opt.scoring.effect.segments import DEFAULT_SEGMENTS, declare_segments
from collections_opt.scoring.effect.threshold import ThresholdDesign, learn_threshold, parse_threshold
from collections_opt.scoring.effect.training import learn_effects
from harness.worlds.thresholds import pool, thresholded

PLAN, QUEUE = desk_plan(1_000), 2
COLUMN, VALUE, WIDTH = "balance_minor", 300_000, 150_000
DESIGN = ThresholdDesign("senior-negotiators", COLUMN, VALUE, WIDTH)


@pytest.fixture(scope="module")
def made():
    return pool(5, 60_000, PLAN)


@pytest.fixture(scope="module")
def period(made):
    return thresholded(made, 1, 12_000, QUEUE, COLUMN, VALUE)


@pytest.fixture(scope="module")
def segments(period):
    from collections_opt.core.accounts.features import build_features  # noqa: PLC0415

    return declare_segments(DEFAULT_SEGMENTS, build_features(period.portfolio).matrix)


def learn(period, segments, design=DESIGN):
    return learn_threshold([period], PLAN, design, segments, planned_prior(PLAN))


def relogged(period, **columns):
    """Return a period with other columns in its log."""
    log = period.log
    kept = {name: getattr(log, name) for name in log.columns} | columns
    return EffectPeriod(period.portfolio, period.outcomes, ContactLog(log.queue_ids, **kept))


def rebalanced(period, balance):
    """Return a period whose portfolio shows other balances."""
    portfolio = period.portfolio
    return EffectPeriod(
        replace(portfolio, columns={**portfolio.columns, COLUMN: balance.astype(np.int64)}), period.outcomes, period.log
    )


def test_intervals_cover_the_true_effect_at_the_threshold_and_a_plain_contrast_does_not(made, segments):
    truth = {name: made.effect_at(QUEUE, COLUMN, VALUE, outcome) for name, outcome in (("cure", CURE), ("default", DEFAULT))}
    covered, planted = [], []
    for seed in range(60):
        drawn = thresholded(made, seed, 6_000, QUEUE, COLUMN, VALUE)
        model = learn(drawn, segments)
        covered += [getattr(model, name).low <= truth[name] <= getattr(model, name).high for name in truth]
        # The fault: contacted against uncontacted accounts, balances and all.
        cured, contacted = drawn.log.outcome == CURE, drawn.log.contacted
        naive = cured[contacted].mean() - cured[~contacted].mean()
        error = np.sqrt(cured[contacted].var() / contacted.sum() + cured[~contacted].var() / (~contacted).sum())
        planted.append(abs(naive - truth["cure"]) <= 1.96 * error)
    assert np.mean(covered) > 0.9
    assert np.mean(planted) < 0.3


def test_the_effect_is_observational_constant_and_between_the_plan_and_the_jump(period, segments):
    model = learn(period, segments)
    assert model.evidence is EvidenceGrade.OBSERVATIONAL
    assert "regression discontinuity at balance_minor = 300,000 ± 150,000" in model.reason
    assert set(model.theta_cure[1:]) == {0.0}
    doubtful = replace(planned_prior(PLAN), theta=planned_prior(PLAN).theta * 0.0)  # a plan that expects nothing of contact
    moved = learn_threshold([period], PLAN, DESIGN, segments, doubtful)
    assert 0.0 < moved.theta_cure[0] < model.theta_cure[0]
    assert model.contacted_count + model.held_out_count == model.cure.row_count


def test_a_shifted_threshold_is_refused(period, segments):
    for value in (VALUE - 2 * WIDTH // 3, VALUE + WIDTH):
        with pytest.raises(CollectionsError, match="share contacted changes by"):
            learn(period, segments, replace(DESIGN, value=value, width=WIDTH // 2))


def test_accounts_put_on_one_side_by_what_they_would_do_are_refused(period, segments):
    """The fault: agents lift small balances of accounts that will cure over the threshold, and their queue shines."""
    balance = period.portfolio.column(COLUMN)
    cured, near = period.log.outcome == CURE, (balance > VALUE - 50_000) & (balance < VALUE)
    with pytest.raises(CollectionsError, match="bunch at the threshold"):
        learn(rebalanced(period, np.where(near & cured, 2 * VALUE - balance, balance)), segments)


def test_a_threshold_between_two_queues_is_refused(period, segments):
    below = period.log.queue == NO_QUEUE
    both = relogged(period, queue=np.where(below, 0, period.log.queue).astype(np.int16), contacted=period.log.contacted | below)
    with pytest.raises(CollectionsError, match="other queues contacted"):
        learn(both, segments)


def test_too_few_rows_are_refused_and_randomised_rows_are_not_used(period, segments):
    with pytest.raises(CollectionsError, match="500 of each are needed"):
        learn(period, segments, replace(DESIGN, width=1_000))
    half = np.full(period.log.row_count, 0.5)
    drawn = np.where(period.log.queue == NO_QUEUE, np.nan, half)
    with pytest.raises(CollectionsError, match="0 above the threshold"):
        learn(relogged(period, propensity=drawn, queue_propensity=drawn), segments)


def test_training_takes_the_threshold_where_there_is_no_holdout_and_says_why_not_where_it_is_refused(period):
    learned = learn_effects([period], PLAN, "threshold-1", 1, thresholds=[DESIGN]).model
    assert learned.queue("senior-negotiators").reason.startswith("regression discontinuity")
    shifted = learn_effects([period], PLAN, "threshold-2", 1, thresholds=[replace(DESIGN, value=VALUE + WIDTH)]).model
    assert "share contacted changes" in next(q for q in shifted.queues if q.queue_id == DESIGN.queue_id).reason
    with pytest.raises(CollectionsError, match="has two"):
        learn_effects([period], PLAN, "threshold-3", 1, thresholds=[DESIGN, DESIGN])
    with pytest.raises(CollectionsError, match="not in plan"):
        learn_effects([period], PLAN, "threshold-4", 1, thresholds=[replace(DESIGN, queue_id="nobody")])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("calls", "is not QUEUE=COLUMN:VALUE:WIDTH"),
        ("calls=balance_minor:90000", "is not QUEUE=COLUMN:VALUE:WIDTH"),
        ("calls=balance_minor:high:1", "is not QUEUE=COLUMN:VALUE:WIDTH"),
        ("calls=product:1:1", "no column with a number"),
        ("calls=balance_minor:1:0", "no width"),
        ("calls=balance_minor:nan:1", "no finite value"),
    ],
)
def test_a_threshold_in_another_form_is_refused(text, told):
    with pytest.raises(CollectionsError, match=told):
        parse_threshold(text)
    assert parse_threshold("calls=balance_minor:90000:20000") == ThresholdDesign("calls", "balance_minor", 90_000, 20_000)
