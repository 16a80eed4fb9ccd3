"""EvaluateCapacity and GetCapacityCurves through a real server: figures that add up, streams that stop, refusals by field."""

from __future__ import annotations

import threading

import grpc
import pytest

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.api.v1 import capacity_service_pb2, ranking_pb2
from collections_opt.application.settings import bundled_plan
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.service.servicers.progress_stream import progress_stream
from collections_opt.wire.plans import write_plan
from tests.support.serving.calls import PLAN, WAIT, fields_of, made
from tests.support.serving.edge import refusal
from tests.support.serving.requests.what_ifs import CALLS, basis, changes


def evaluated(client, **request):
    answers = list(client.plans.EvaluateCapacity(pb.EvaluateCapacityRequest(**request), timeout=WAIT))
    assert [a.WhichOneof("answer") for a in answers[:-1]] == ["progress"] * (len(answers) - 1)
    fractions = [a.progress.fraction for a in answers[:-1]]
    assert fractions == sorted(fractions)
    return answers[-1].evaluation


def test_more_minutes_beside_what_the_price_predicted(client, ranking):
    change = pb.QueueChange(queue_id=CALLS, capacity_factor=1.1)
    found = evaluated(client, basis=basis(ranking), changes=changes(change), max_moved_accounts=5)
    assert found.ranking_id == ranking.ranking_id
    assert found.before.objective_minor_units == ranking.quality.objective_minor_units
    assert found.change_minor_units == found.after.objective_minor_units - found.before.objective_minor_units
    assert 0 <= found.change_minor_units <= found.highest_change_minor_units
    by_id = {queue.queue_id: queue for queue in found.queues}
    for use in ranking.queues:
        before = by_id[use.queue_id].before
        assert (before.capacity_minutes, before.used_minutes) == (use.capacity_minutes, use.used_minutes)
        assert before.price_per_minute_minor_units == use.price_per_minute_minor_units
        interval = before.price_interval
        low, high = interval.low_per_minute_minor_units, interval.high_per_minute_minor_units
        assert low <= use.price_per_minute_minor_units <= high
    calls = by_id[CALLS]
    assert calls.after.capacity_minutes == pytest.approx(1.1 * calls.before.capacity_minutes, abs=1 / 60)
    extra = calls.after.capacity_minutes - calls.before.capacity_minutes
    expected = extra * calls.before.price_per_minute_minor_units
    assert calls.predicted_change_minor_units == pytest.approx(expected, rel=1e-6)
    assert found.predicted_change_minor_units == pytest.approx(expected, rel=1e-6)
    assert sum(q.after.increment_minor_units for q in found.queues) == found.after.objective_minor_units
    moved = found.entering_count + found.leaving_count + found.changing_queue_count
    assert sum(flow.account_count for flow in found.flows) == moved
    gained = sum(f.increment_after_minor_units - f.increment_before_minor_units for f in found.flows)
    assert gained == found.change_minor_units
    assert len(found.moved_accounts) == min(5, moved)
    values = [max(a.increment_before_minor_units, a.increment_after_minor_units) for a in found.moved_accounts]
    assert values == sorted(values, reverse=True)
    assert found.capacity_plan.queues[0].capacity_minutes == calls.after.capacity_minutes or found.capacity_plan.version == 0


def test_the_changed_minutes_that_match_the_plan_before_are_found_by_re_solves(client, ranking):
    richer = changes(pb.QueueChange(queue_id=CALLS, added_agent_count=2))
    share = evaluated(client, basis=basis(ranking), changes=richer, find_same_recovery=True).same_recovery_share
    assert 0 < share < 1
    scaled = [pb.QueueChange(queue_id=CALLS, added_agent_count=2, capacity_factor=share)]
    scaled += [pb.QueueChange(queue_id=q.queue_id, capacity_factor=share) for q in ranking.queues if q.queue_id != CALLS]
    found = evaluated(client, basis=basis(ranking), changes=changes(*scaled))
    assert found.after.bound_minor_units >= found.before.objective_minor_units
    poorer = changes(pb.QueueChange(queue_id=CALLS, closed=True))
    found = evaluated(client, basis=basis(ranking), changes=poorer, find_same_recovery=True)
    assert not found.HasField("same_recovery_share")


def test_nothing_changed_moves_nobody(client, ranking):
    found = evaluated(client, basis=basis(ranking), changes=changes(pb.QueueChange(queue_id=CALLS, added_agent_count=0)))
    assert (found.change_minor_units, found.entering_count, found.leaving_count, len(found.flows)) == (0, 0, 0, 0)
    assert found.after == found.before


def test_a_closed_queue_loses_its_accounts_and_an_opened_one_gets_some(client, ranking):
    new = write_plan(bundled_plan()).queues[2]
    new.queue_id = "second-seniors"
    given = (pb.QueueChange(queue_id=CALLS, closed=True), pb.QueueChange(queue_id=new.queue_id, opened=new))
    found = evaluated(client, basis=basis(ranking), changes=changes(*given))
    by_id = {queue.queue_id: queue for queue in found.queues}
    assert by_id[CALLS].after.worked_count == 0
    assert not by_id[new.queue_id].HasField("before")
    assert not by_id[new.queue_id].HasField("predicted_change_minor_units")
    assert by_id[new.queue_id].after.worked_count > 0
    assert found.change_minor_units <= found.highest_change_minor_units


def test_a_whole_plan_and_a_portfolio_give_what_a_ranking_under_that_plan_gives(client, ranking):
    plan = write_plan(bundled_plan())
    plan.plan_id = "richer"
    for queue in plan.queues:
        queue.agent_count *= 2
        queue.talk_minutes += 0.5
    client.plans.CreateCapacityPlan(capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan), timeout=WAIT)
    truth = made(client, capacity_plan_id="richer", request_id="0b9f3a52-6f0e-4b7e-8e57-0d4f1f6a7c13")
    portfolio = pb.CapacityBasis(portfolio=pb.PortfolioBasis(portfolio_id="book", capacity_plan_id=PLAN))
    for start in (basis(ranking), portfolio):
        found = evaluated(client, basis=start, capacity_plan=plan)
        assert found.after.objective_minor_units == truth.quality.objective_minor_units
        assert found.before.objective_minor_units == ranking.quality.objective_minor_units
        assert not any(q.HasField("predicted_change_minor_units") for q in found.queues)


def test_curves_hold_the_plan_rise_and_name_the_minutes_that_can_be_saved(client, ranking):
    request = pb.GetCapacityCurvesRequest(
        basis=basis(ranking), factors=[0, 0.5, 1.5], queue_ids=[CALLS], price_tolerance=0.2, compare_orderings=True
    )
    answers = list(client.plans.GetCapacityCurves(request, timeout=WAIT))
    curves = [a.curve for a in answers if a.WhichOneof("answer") == "curve"]
    assert [c.queue_id for c in curves] == ["", CALLS]
    for curve in curves:
        assert [p.factor for p in curve.points] == [0, 0.5, 1, 1.5]
        assert curve.points[2].objective_minor_units == ranking.quality.objective_minor_units
        assert curve.points[2].predicted_objective_minor_units == ranking.quality.objective_minor_units
        values = [p.objective_minor_units for p in curve.points]
        assert values == sorted(values)
        for point in curve.points:
            assert point.objective_minor_units <= point.bound_minor_units
        assert curve.points[3].predicted_objective_minor_units >= curve.points[3].objective_minor_units - 1e-6 * values[3]
    use = next(q for q in ranking.queues if q.queue_id == CALLS)
    price_range = curves[1].price_range
    assert price_range.low_minutes <= use.capacity_minutes <= price_range.high_minutes
    assert not curves[0].HasField("price_range")
    saved = [a.same_recovery for a in answers if a.WhichOneof("answer") == "same_recovery"]
    assert {s.ordering for s in saved if not s.greedy} == set(ranking_pb2.Ordering.values()) - {0, 1}
    for each in saved:
        assert 0 <= each.impossible_share <= each.capacity_share <= 1
        assert each.optimised_objective_minor_units >= each.objective_minor_units


BAD_EVALUATIONS = [
    ({}, {"basis"}),
    ({"changes": changes(pb.QueueChange(queue_id="nobody", agent_count=1))}, {"changes.queues[0].queue_id"}),
    ({"changes": changes(pb.QueueChange(queue_id=CALLS, agent_count=-1))}, {"changes.queues[0].agent_count"}),
    ({"changes": changes(pb.QueueChange(queue_id=CALLS, capacity_factor=1e9))}, {"changes.queues[0].capacity_factor"}),
    ({"changes": changes()}, {"changes.queues"}),
    ({"max_moved_accounts": 1_001}, {"max_moved_accounts"}),
    ({"max_moved_accounts": -1}, {"max_moved_accounts"}),
    ({"solver": 77}, {"solver"}),
    ({"capacity_plan": None}, {"changes"}),
]


@pytest.mark.parametrize(("fields", "expected"), BAD_EVALUATIONS)
def test_bad_evaluations_are_refused_by_field(client, ranking, fields, expected):
    good = {"basis": basis(ranking), "changes": changes(pb.QueueChange(queue_id=CALLS, agent_count=1))}
    if not fields:
        good.pop("basis")
    if fields == {"capacity_plan": None}:
        good.pop("changes")
    with pytest.raises(grpc.RpcError) as caught:
        evaluated(client, **{**good, **fields})
    assert fields_of(caught.value) == expected


def in_portfolio(portfolio_id="book", plan_id=PLAN, **fields):
    return pb.CapacityBasis(portfolio=pb.PortfolioBasis(portfolio_id=portfolio_id, capacity_plan_id=plan_id, **fields))


@pytest.mark.parametrize(
    ("start", "field"),
    [
        (pb.CapacityBasis(ranking_id="rk-none"), "basis.ranking_id"),
        (in_portfolio("none"), "basis.portfolio.portfolio_id"),
        (in_portfolio(plan_id="none"), "basis.portfolio.capacity_plan_id"),
        (in_portfolio(capacity_plan_version=99), "basis.portfolio.capacity_plan_version"),
    ],
)
def test_a_basis_that_is_not_there_is_refused_by_field(client, book, start, field):
    change = changes(pb.QueueChange(queue_id=CALLS, closed=True))
    for call, request in (
        (client.plans.EvaluateCapacity, pb.EvaluateCapacityRequest(basis=start, changes=change)),
        (client.plans.GetCapacityCurves, pb.GetCapacityCurvesRequest(basis=start)),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            list(call(request, timeout=WAIT))
        assert (refusal(caught.value)[1], fields_of(caught.value)) == ("NOT_FOUND", {field})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"factors": [-0.1]}, "factors[0]"),
        ({"factors": [1, float("nan")]}, "factors[1]"),
        ({"factors": [1.0] * 41}, "factors"),
        ({"queue_ids": [CALLS, "nobody"]}, "queue_ids[1]"),
        ({"price_tolerance": 2}, "price_tolerance"),
    ],
)
def test_bad_curves_are_refused_by_field(client, ranking, fields, field):
    with pytest.raises(grpc.RpcError) as caught:
        list(client.plans.GetCapacityCurves(pb.GetCapacityCurvesRequest(basis=basis(ranking), **fields), timeout=WAIT))
    assert fields_of(caught.value) == {field}


def test_work_whose_caller_left_stops_at_its_next_report():
    started, go, ended = threading.Event(), threading.Event(), threading.Event()

    def work(report):
        try:
            started.set()
            report(SolveProgress("first", 0.1))
            go.wait(WAIT)
            report(SolveProgress("second", 0.2))
            yield "never"
        finally:
            ended.set()

    stream = progress_stream(work)
    assert next(stream).stage == "first"
    assert started.is_set()
    threading.Timer(0.0, go.set).start()
    stream.close()
    assert ended.is_set()


def test_an_error_of_the_work_is_raised_where_the_caller_waits():
    def work(report):
        yield 1
        raise ValueError("broken")

    stream = progress_stream(work)
    assert next(stream) == 1
    with pytest.raises(ValueError, match="broken"):
        next(stream)
