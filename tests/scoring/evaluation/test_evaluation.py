"""Evaluation against known truths: a right model has slope 1 and no alarm, distortions are named, small cells say nothing."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from collections_opt.application.evaluation.bundled import study_of_recoveries
from collections_opt.application.evaluation.segments import segments_of
from collections_opt.core.accounts.admission import admit
from collections_opt.datasets.lending_club import charged_off
from collections_opt.scoring.evaluation.discrimination import auc_interval
from collections_opt.scoring.evaluation.probabilities import (
    bootstrap_share,
    calibration_alarm,
    calibration_line,
    evaluate_class,
    population_stability,
    reliability,
)
from tests.support.factories import raw_portfolio, text


def right(count=20_000, seed=1):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, count)
    return p, rng.random(count) < p


def test_a_right_model_has_slope_one_intercept_zero_and_no_alarm():
    p, happened = right()
    slope, intercept = calibration_line(p, happened)
    assert slope.low < 1 < slope.high
    assert intercept.low < 0 < intercept.high
    assert calibration_alarm("x", p, happened) == ""
    found = evaluate_class(p, happened, 1)
    assert found.ece < 2 * found.ece_if_perfect
    assert found.brier_skill > 0
    assert found.lift[0.1] > found.lift[0.2] > 1


def test_intervals_hold_the_truth_as_often_as_they_say():
    held = 0
    for seed in range(200):
        p, happened = right(400, seed)
        slope, _ = calibration_line(p, happened)
        held += slope.low <= 1 <= slope.high
    assert 0.90 <= held / 200 <= 0.99


def test_the_interval_of_an_auc_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(300):
        happened = np.arange(300) < 90
        value, low, high = auc_interval(np.round(rng.normal(happened * 1.0), 1), happened)
        held += low <= norm.cdf(1 / math.sqrt(2)) <= high
        assert value == pytest.approx(float(np.clip(value, low, high)))
    assert 0.92 <= held / 300 <= 0.98


def test_an_auc_is_that_of_all_pairs_and_one_case_says_nothing_of_its_spread():
    score, happened = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True])
    assert auc_interval(score, happened)[0] == pytest.approx(3.5 / 4)
    assert auc_interval(score, np.array([False, False, False, True])) == (1.0, 0.0, 1.0)


def test_accounts_are_divided_by_bucket_product_state_and_balance_and_only_where_it_divides():
    count = 40
    raw = raw_portfolio(
        account_id=text([f"a{i:02d}" for i in range(count)]),
        product=text(["CARD"] * count),
        state=text(["US-MA", "US-NY"] * (count // 2)),
        balance_minor=np.arange(count) * 10_000 + 10_000,
        days_past_due=np.full(count, 200),
    )
    segments = segments_of(admit(raw).portfolio)
    assert list(segments)[:2] == ["state US-MA", "state US-NY"]
    assert [rows.sum() for rows in segments.values()] == [20, 20, 10, 10, 10, 10]
    assert list(segments)[2].startswith("balance up to 1,000.00 ")


def test_an_account_that_stands_for_several_counts_as_often():
    p, happened = right(400)
    times = np.random.default_rng(2).integers(1, 4, p.size)
    weighed = evaluate_class(p, happened, 1, weight=times.astype(np.float64))
    repeated = evaluate_class(np.repeat(p, times), np.repeat(happened, times), 1)
    for figure in ("rate", "ks", "log_loss", "brier", "brier_skill"):
        assert getattr(weighed, figure) == pytest.approx(getattr(repeated, figure), abs=1e-9), figure
    assert weighed.auc.value == pytest.approx(repeated.auc.value)
    assert weighed.slope.value == pytest.approx(repeated.slope.value, abs=1e-5)
    assert weighed.lift[0.2] == pytest.approx(repeated.lift[0.2], rel=0.02)
    assert weighed.slope.high - weighed.slope.low > 1.2 * (repeated.slope.high - repeated.slope.low)  # each was seen once
    alone = evaluate_class(p, happened, 1, weight=np.ones(p.size))
    plain = evaluate_class(p, happened, 1)
    assert (alone.ece, alone.ece_if_perfect) == pytest.approx((plain.ece, plain.ece_if_perfect))
    assert alone.reliability == plain.reliability
    assert (alone.auc.low, alone.slope.low) == pytest.approx((plain.auc.low, plain.slope.low), rel=0.03)
    money = p * 100.0
    whole, rank = np.repeat(money, times), np.argsort(-p, kind="stable")
    held = bootstrap_share(money, money, rank, 0.2, 1, weight=times.astype(np.float64))
    assert held.value == pytest.approx(bootstrap_share(whole, whole, np.argsort(-whole), 0.2, 1).value, rel=0.02)


def test_a_right_model_is_judged_right_where_early_outcomes_are_seen_more_often():
    """Cures come early, so that ends between hide the others: counted alike the model looks too low, weighed it does not."""
    covered = wrong = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        p = rng.beta(1, 3, 1_500)
        happened = rng.random(p.size) < p
        seen = rng.random(p.size) < np.where(happened, 0.9, 0.5)
        weight = np.where(happened, 1 / 0.9, 1 / 0.5)[seen]
        _, level = calibration_line(p[seen], happened[seen])
        slope, weighed = calibration_line(p[seen], happened[seen], weight)
        wrong += level.low > 0
        covered += (weighed.low <= 0 <= weighed.high) + (slope.low <= 1 <= slope.high)
    assert wrong == 100
    assert 0.90 <= covered / 200 <= 0.99


@pytest.mark.parametrize("distort", [lambda p: p / 2, lambda p: p**2 / (p**2 + (1 - p) ** 2)])
def test_a_wrong_level_or_slope_raises_the_alarm(distort):
    p, happened = right()
    assert "log-odds off by" in calibration_alarm("x", distort(p), happened)


def test_small_cells_and_single_classes_show_nothing():
    p, happened = right(29)
    assert evaluate_class(p, happened, 1) is None
    assert evaluate_class(np.full(50, 0.5), np.zeros(50, dtype=bool), 1) is None
    assert all(math.isnan(b.observed) for b in reliability(*right(100)))


def test_psi_stays_under_its_sampling_limit_without_a_shift_and_leaves_it_with_one():
    rng = np.random.default_rng(3)
    before = rng.normal(size=4_000)
    under = [population_stability(before, rng.normal(size=4_000)) for _ in range(100)]
    assert sum(d.psi > d.limit for d in under) <= 15
    moved = population_stability(before, rng.normal(0.2, size=4_000))
    assert moved.psi > moved.limit
    half = np.where(rng.random(4_000) < 0.1, np.nan, before)
    missing = population_stability(before, half)
    assert missing.psi > missing.limit


def test_money_at_capacity_is_between_nothing_and_hindsight():
    rng = np.random.default_rng(4)
    money = rng.exponential(size=500)
    best = bootstrap_share(money, money, np.argsort(-money), 0.2, 1)
    worst = bootstrap_share(money, money, np.argsort(money), 0.2, 1)
    assert worst.value < 0.1 < best.low <= best.value <= best.high < 1


def test_recoveries_are_nothing_a_part_or_all_and_value_beats_probability():
    judged = study_of_recoveries()
    assert judged.predicted["nothing"] == pytest.approx(judged.observed["nothing"], abs=0.02)
    assert judged.predicted["all"] < 0.02
    assert math.isnan(judged.observed["all"])  # too few to show
    assert judged.level.low < 1.0 < judged.level.high
    at_20 = {name: shares[0.2] for name, shares in judged.captured.items()}
    assert at_20["probability"].high < at_20["value"].low
    assert at_20["value"].high < at_20["perfect hindsight"].low
    assert judged.r2.low > 0
    with pytest.raises(ValueError, match="4 to 6"):
        charged_off((7,))
