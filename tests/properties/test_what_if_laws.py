"""Laws of what-ifs: more minutes never cost money, prices bound what they bring, curves are concave up to the gap."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.application.answers.capacity_curves import CurveDrawer, DrawnCurve, draw_curves
from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.core.ranking.capacity_curve import ALL_QUEUES
from collections_opt.core.ranking.what_if import Move
from tests.support.books.what_if_instances import baseline_of
from tests.support.solving.instances import realistic, small_random

FACTORS = (0.0, 0.3, 0.7, 1.0, 1.1, 1.6, 2.5)
SLACK = 1.0
"""A minor unit: floats of prices against whole money."""


def check_evaluation(found):
    before, after = found.before.assignment, found.after.assignment
    grows = found.after.problem.capacity_seconds - found.before.problem.capacity_seconds
    if (grows >= 0).all():
        assert after.bound_minor >= before.objective_minor
        assert found.change_minor >= before.objective_minor - after.bound_minor - (after.bound_minor - after.objective_minor)
        if after.gap == 0.0:
            assert found.change_minor >= 0
    assert found.change_minor <= found.highest_change_minor
    gap = found.highest_change_minor - found.predicted_minor.sum()
    assert gap >= -SLACK
    assert found.change_minor <= found.predicted_minor.sum() + gap + SLACK


def check_moves(found):
    old, new = found.before.assignment.queue, found.after.assignment.queue
    moved = found.moves
    assert set(moved.row.tolist()) == set(np.flatnonzero(old != new).tolist())
    kinds = {
        Move.ENTERS: (old == UNASSIGNED) & (new != UNASSIGNED),
        Move.LEAVES: (old != UNASSIGNED) & (new == UNASSIGNED),
        Move.CHANGES_QUEUE: (old != UNASSIGNED) & (new != UNASSIGNED) & (old != new),
    }
    assert {kind: moved.count(kind) for kind in Move} == {kind: int(mask.sum()) for kind, mask in kinds.items()}
    assert int((moved.value_after_minor - moved.value_before_minor).sum()) == found.change_minor
    top = np.maximum(moved.value_before_minor, moved.value_after_minor)
    assert (np.diff(top) <= 0).all()


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 1.0, 1.3, 3.0]), st.sampled_from(["exact", "pricing"]))
def test_laws_of_an_evaluation(seed, factor, solver):
    rng = np.random.default_rng(seed)
    baseline = baseline_of(small_random(rng, 10, 3), solver)
    plan = baseline.answer.plan
    changes = [QueueChange(q.queue_id, agents=q.agents * factor) for q in plan.queues if rng.random() < 0.6]
    found = evaluate_capacity(baseline, changed_plan(plan, changes))
    check_evaluation(found)
    check_moves(found)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_one_unit_more_is_worth_the_low_end_of_the_interval_and_one_less_costs_the_high_end(seed):
    """By linear relaxation: the bound moves by the interval's ends, so no answer gains more than the low end predicts."""
    baseline = baseline_of(realistic(60, 3, seed, load=0.4))
    here, intervals = baseline.answer, baseline.intervals
    for index in np.flatnonzero(intervals.complete[:3]):
        for sign, price in ((1, intervals.low[index]), (-1, intervals.high[index])):
            seconds = here.problem.capacity_seconds.copy()
            seconds[index] += sign * 600
            if seconds[index] < 0:
                continue
            problem = replace(here.problem, capacity_seconds=seconds)
            plan = replace(
                here.plan,
                queues=tuple(replace(q, agents=s / 60) for q, s in zip(here.plan.queues, seconds.tolist(), strict=True)),
            )
            found = evaluate_capacity(baseline, plan)
            np.testing.assert_array_equal(found.after.problem.capacity_seconds, problem.capacity_seconds)
            slack_of_gap = found.highest_change_minor - found.predicted_minor.sum()
            assert found.change_minor <= sign * 600 * price / PRICE_SCALE + slack_of_gap + SLACK


def check_concave(points):
    """Between any three points the bound in the middle is not below the chord of the values: concave up to the gap."""
    for left, mid, right in zip(points, points[1:], points[2:], strict=False):
        if right.seconds == left.seconds:
            continue
        weight = (mid.seconds - left.seconds) / (right.seconds - left.seconds)
        chord = left.value_minor + weight * (right.value_minor - left.value_minor)
        # Capacity counts up to whole handling times (one second among so many accounts).
        # Minutes are cut to whole seconds in every queue: a second of each may be missing in the middle.
        seconds_cut = 3 * max(left.slope_minor_per_minute, mid.slope_minor_per_minute) / 60
        assert mid.bound_minor >= chord - SLACK - seconds_cut


def check_rising(points):
    for left, right in pairwise(points):
        assert right.bound_minor >= left.value_minor


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(50, 120))
def test_curves_rise_are_concave_up_to_the_gap_and_below_what_prices_predict(seed, accounts):
    baseline = baseline_of(realistic(accounts, 3, seed), "pricing")
    for drawn in draw_curves(baseline, FACTORS):
        points = drawn.curve.points
        assert [p.factor for p in points] == list(FACTORS)
        check_rising(points)
        check_concave(points)
        here = drawn.curve.at(1.0)
        highest = evaluate_capacity(baseline, baseline.answer.plan).highest_change_minor
        for point in points:
            predicted = here.slope_minor_per_minute * (point.seconds - here.seconds) / 60
            assert point.value_minor - here.value_minor <= predicted + highest + SLACK + abs(point.seconds) * 1e-3


def test_the_harness_catches_a_bent_curve_and_a_forged_prediction():
    baseline = baseline_of(realistic(200, 3, 1), "pricing")
    points = CurveDrawer(baseline).curve(ALL_QUEUES, FACTORS).points
    check_concave(points)
    low = replace(points[2], value_minor=points[1].value_minor, bound_minor=points[1].value_minor)
    with pytest.raises(AssertionError):
        check_concave((*points[:2], low, *points[3:]))
    plan = baseline.answer.plan
    found = evaluate_capacity(baseline, changed_plan(plan, [QueueChange(q.queue_id, capacity_factor=1.5) for q in plan.queues]))
    check_evaluation(found)
    with pytest.raises(AssertionError):
        check_evaluation(replace(found, predicted_minor=found.predicted_minor / 100, highest_change_minor=1))


def test_the_same_recovery_is_found_by_real_solves_and_no_smaller_share_reaches_it():
    baseline = baseline_of(realistic(400, 4, 3), "pricing")
    drawer = CurveDrawer(baseline)
    curve = drawer.curve(ALL_QUEUES, FACTORS)
    found = drawer.recovery_of(None, curve)
    assert 0 < found.same.factor < 1
    assert found.same.value_minor >= found.value_minor
    assert drawer.point(ALL_QUEUES, found.same.factor).value_minor == found.same.value_minor
    assert drawer.point(ALL_QUEUES, found.same.short_factor).bound_minor < found.value_minor
    assert found.same.factor - found.same.short_factor < 0.01


def test_a_price_keeps_within_its_range_and_not_beyond():
    baseline = baseline_of(realistic(400, 3, 5), "pricing")
    drawn = [d for d in draw_curves(baseline, FACTORS, price_tolerance=0.2) if isinstance(d, DrawnCurve)]
    drawer = CurveDrawer(baseline)
    for each in drawn[1:]:
        here = each.curve.at(1.0).slope_minor_per_minute
        inside = [each.range.low_factor, each.range.high_factor]
        for factor in inside:
            price = drawer.point(each.curve.queue_id, factor).slope_minor_per_minute
            assert abs(price - here) <= 0.2 * here + 1e-6
        for factor, is_open, step in ((inside[0], each.range.low_open, -0.01), (inside[1], each.range.high_open, 0.01)):
            if not is_open:
                beyond = drawer.point(each.curve.queue_id, factor + step).slope_minor_per_minute
                assert abs(beyond - here) > 0.2 * here * 0.98
