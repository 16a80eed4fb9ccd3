"""How strong effects are by the randomised rows, and what is known of that."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.scoring.effect.residual.level import SliceRows, measure_levels
from collections_opt.scoring.effect.residual.money import MoneyScales


def slice_rows(count, seed, plan, every=0.0, drawn=0.0, noise=0.1):
    """Rows of which the true change is so much of each part, and mu0 off by 0.2 everywhere."""
    rng = np.random.default_rng(seed)
    parts = np.column_stack([0.1 + 0.05 * rng.normal(size=count), *(0.03 * rng.normal(size=count) for _ in range(2))])
    contacted = rng.random(count) < 0.3
    left = contacted * (parts @ [plan, every, drawn]) + rng.normal(size=count) * noise + 0.2
    return SliceRows(left, contacted - 0.3, np.full(count, 0.3), parts, parts[:, :2].sum(axis=1)), np.arange(count).astype("S8")


def test_weights_are_found_whatever_the_plan_and_count_persons_not_rows():
    rows, person = slice_rows(20_000, 2, 0.5, 0.8)
    (level,), covariance = measure_levels([rows], person)
    for weight, true in zip(level.weights, (0.5, 0.8, 0.0), strict=True):
        assert abs(weight.estimate - true) < 4 * weight.standard_error
        assert abs(weight.served - true) < 4 * weight.standard_error
    assert level.proven
    assert np.sqrt(np.diag(covariance))[0] == pytest.approx(level.weights[0].standard_error, rel=0.05)
    twice = SliceRows(*(np.concatenate([part, part]) for part in vars(rows).values()))
    (doubled,), _ = measure_levels([twice], np.concatenate([person, person]))
    assert doubled.weights[0].standard_error == pytest.approx(level.weights[0].standard_error, rel=0.01)


def test_the_served_effect_tends_to_the_plans_as_errors_grow():
    far = []
    for noise in (0.1, 3.0, 1_000.0):
        rows, person = slice_rows(4_000, 3, 0.2, 0.9, noise=noise)
        served = measure_levels([rows], person)[0][0].served
        far.append(np.abs(np.array(served) - [1.0, 0.0, 0.0]).max())
    assert far[0] > 0.7
    assert far[0] > far[1] > far[2]
    assert far[2] < 0.01


@pytest.mark.parametrize(("true", "contradicts"), [(0.8, False), (0.3, True), (2.5, True)])
def test_the_plans_weight_is_drawn_to_1_by_its_error_and_known_less_where_rows_contradict_the_plan(true, contradicts):
    rows, person = slice_rows(4_000, 4, true, noise=0.5)
    rows = SliceRows(rows.left, rows.drawn, rows.chance, rows.parts * [1.0, 0.0, 0.0], rows.whole)
    (level,), covariance = measure_levels([rows], person)
    plan, precision = level.weights[0], 1 / 0.35**2
    known = 1 / plan.standard_error**2
    assert plan.served == pytest.approx((plan.estimate * known + precision) / (known + precision))
    assert level.served[1:] == (0.0, 0.0)
    stretch = (plan.estimate - 1.0) ** 2 / (plan.standard_error**2 + 0.5**2)
    assert (stretch > 1.0) == contradicts
    drawn = np.array([known, precision]) / (known + precision)  # to what was measured, and to the plan
    assert covariance[0][0] == pytest.approx(drawn[0] ** 2 / known + drawn[1] ** 2 * 0.5**2 * max(stretch, 1.0))
    assert abs(plan.served - true) < 2 * np.sqrt(covariance[0][0])


def test_what_was_learned_with_the_wrong_sign_is_not_served_and_a_measured_harm_is():
    rows, person = slice_rows(20_000, 5, 1.0, -0.9)
    (level,), _ = measure_levels([rows], person)
    assert level.weights[1].estimate < -0.5
    assert level.weights[1].served == 0.0
    rows, person = slice_rows(20_000, 6, -0.6)
    (level,), _ = measure_levels([rows], person)
    assert level.served[0] < -0.4
    assert level.proven  # that it harms


def test_a_lists_scale_is_that_of_each_outcome_by_what_it_promises():
    scales = MoneyScales(0.5, 2.0, ((0.04, 0.01), (0.01, 0.25)))
    found = scales.of(np.array([300.0, 100.0]))
    assert found.estimate == pytest.approx(0.75 * 0.5 + 0.25 * 2.0)
    assert found.standard_error**2 == pytest.approx(0.75**2 * 0.04 + 2 * 0.75 * 0.25 * 0.01 + 0.25**2 * 0.25)
    assert scales.of(np.array([10.0, -20.0])) is None


def test_what_is_hardly_known_of_defaults_does_not_hide_that_cures_contradict_the_plan():
    cures, person = slice_rows(4_000, 4, 2.5, noise=0.5)
    cures = replace(cures, parts=cures.parts * [1.0, 0.0, 0.0])
    defaults, _ = slice_rows(4_000, 5, 1.0, noise=20.0)
    defaults = replace(defaults, parts=defaults.parts * [1.0, 0.0, 0.0])
    (level, _), covariance = measure_levels([cures, defaults], person)
    assert abs(level.weights[0].served - 2.5) < 2 * np.sqrt(covariance[0][0])
    assert 0.3 < np.sqrt(covariance[3][3]) < 1.5
