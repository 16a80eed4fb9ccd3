"""A jump at a threshold: the published one, its errors, and what speaks against it; planted faults are found."""

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError
from collections_opt.scoring.thresholds.density_jump import density_jump
from collections_opt.scoring.thresholds.discontinuity import Window, discontinuity, discontinuity_per_treated
from collections_opt.scoring.thresholds.study import ThresholdAccounts, concerns, study_threshold
from tests.support.books.recovery_strategy import LEVEL_COST, THRESHOLD, load_recovery_strategy

WINDOW = Window.around(0.0, 1.0)


def drawn(seed, count=600, jump=2.0, spread=1.0):
    """Return running, outcome and noise whose spread grows with the running variable."""
    rng = np.random.default_rng(seed)
    running = rng.uniform(-1, 1, count)
    noise = rng.normal(size=count) * spread * (1.0 + 2.0 * (running > 0))
    return running, 1.0 + 0.5 * running + jump * (running >= 0) + noise


def test_the_recovery_strategy_gives_the_published_discontinuity():
    data = load_recovery_strategy()
    wide = discontinuity(data.expected, data.actual, Window(THRESHOLD, 900, 1_100))
    assert (round(wide.effect, 2), round(wide.standard_error, 2)) == (277.63, 74.04)
    assert (round(wide.constant, 2), round(wide.slope, 3)) == (3.34, 0.643)
    assert wide.below_count + wide.above_count == 183
    narrow = discontinuity(data.expected, data.actual, Window(THRESHOLD, 950, 1_050))
    assert (round(narrow.effect, 2), round(narrow.standard_error, 2)) == (286.53, 111.35)
    assert wide.low > LEVEL_COST
    assert data.level[(data.expected < THRESHOLD)].max() == 0


def test_a_discontinuity_needs_both_sides():
    data = load_recovery_strategy()
    with pytest.raises(CollectionsError, match="outside the window"):
        discontinuity(data.expected, data.actual, Window(THRESHOLD, 1_100, 1_200))
    with pytest.raises(CollectionsError, match="30 of each"):
        discontinuity(data.expected, data.actual, Window(THRESHOLD, 990, 1_010))


def test_robust_intervals_cover_where_the_spread_differs_and_accounts_repeat():
    robust, repeated, planted = [], [], []
    for seed in range(300):
        running, outcome = drawn(seed, 200)
        one = discontinuity(running, outcome, WINDOW)
        robust.append(one.robust_low <= 2.0 <= one.robust_high)
        rows = np.repeat(np.arange(200), 4)  # four months of the same accounts
        many = discontinuity(running[rows], outcome[rows], WINDOW, account=rows)
        repeated.append(many.robust_low <= 2.0 <= many.robust_high)
        planted.append(many.low <= 2.0 <= many.high)
    assert 0.92 < np.mean(robust) < 0.98
    assert 0.92 < np.mean(repeated) < 0.98
    assert np.mean(planted) < 0.8  # the fault: rows taken for accounts


def test_the_effect_on_the_treated_is_found_where_only_some_are():
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        running, flat = drawn(seed, 2_000, jump=0.0)
        willing = rng.normal(size=running.size)
        treated = (running >= 0) & (willing > -0.5) | (willing > 1.5)
        outcome = flat + 2.0 * treated + willing  # those who get treated would have done better anyway
        one = discontinuity_per_treated(running, outcome, treated, WINDOW, own_slopes=True)
        found.append(one.robust_low <= 2.0 <= one.robust_high)
        naive = outcome[treated].mean() - outcome[~treated].mean()
        assert naive > 2.5
    assert 0.90 < np.mean(found) < 0.99
    with pytest.raises(CollectionsError, match="does not change"):
        discontinuity_per_treated(running, outcome, np.zeros(running.size, dtype=bool), WINDOW)


def test_bunching_is_found_and_a_slope_is_not_taken_for_it():
    alarms = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        sloped = 2.0 * rng.beta(2, 3, 3_000) - 1.0
        alarms.append(density_jump(sloped, WINDOW).p_value < 0.05)
    assert np.mean(alarms) < 0.09
    just_below = (sloped > -0.2) & (sloped < 0)
    sorted_up = np.where(just_below & (rng.random(sloped.size) < 0.6), -sloped, sloped)
    found = density_jump(sorted_up, WINDOW)
    assert found.p_value < 0.01
    assert found.low > 1
    whole = density_jump(np.rint(rng.uniform(0, 200, 2_000)), Window.around(100.0, 40.0))
    assert whole.bin_width == round(whole.bin_width)
    with pytest.raises(CollectionsError, match="bins of a side"):
        density_jump(sloped[:30], WINDOW)


def test_a_study_shows_widths_placebos_and_cost_and_raises_no_alarm_without_cause():
    running, outcome = drawn(1, 6_000)
    covariate = running + np.random.default_rng(2).normal(size=running.size)
    accounts = ThresholdAccounts(3 * running, outcome, running >= 0, {"age": covariate})
    study = study_threshold(accounts, 0.0, (0.75, 0.4, 1.5, 0.001), 0.5)
    assert study.evidence == "OBSERVATIONAL"
    assert study.main.found.robust_low < 2.0 < study.main.found.robust_high
    assert [jump.found is None for jump in study.others] == [False, False, True, False]
    assert "needed" in study.others[2].refusal
    assert study.others[-1].own_slopes
    assert [place.threshold for place in study.placebos] == [-2.25, -1.5, -0.75, 0.75, 1.5, 2.25]
    assert study.take_up.effect == pytest.approx(1.0)
    assert study.per_treated.effect == pytest.approx(study.main.found.effect)
    assert concerns(study) == []


def test_a_shifted_threshold_and_a_covariate_that_jumps_are_concerns():
    running, outcome = drawn(1, 6_000, spread=0.5)
    accounts = ThresholdAccounts(3 * running, outcome, None, {"leaked outcome": outcome})
    told = " ".join(concerns(study_threshold(accounts, 0.75, (0.75,))))
    assert "placebo thresholds jump" in told  # the true threshold is among the placebos
    assert "leaked outcome jumps" in " ".join(concerns(study_threshold(accounts, 0.0, (0.75,))))
