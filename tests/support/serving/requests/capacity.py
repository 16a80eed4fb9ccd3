"""Good requests about plans over time, and the plan that they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from collections_opt.api.v1 import capacity_calendar_pb2 as calendar_pb
from collections_opt.api.v1 import capacity_evaluation_pb2 as evaluation
from collections_opt.api.v1 import capacity_service_pb2 as pb
from collections_opt.application.settings import bundled_plan
from collections_opt.core.desk.day_changes import DayChange, DayKind
from collections_opt.wire.common import write_date
from collections_opt.wire.plans import write_queue
from tests.support.serving.calls import AS_OF

DESK = "swept-desk"
"""A plan of two versions with a change of days; half an agent answers late calls, so that one fewer is never right."""

MONDAY, TUESDAY = AS_OF + timedelta(7), AS_OF + timedelta(8)


def save_desk(workspace):
    """Store the plan: a second version a week ahead, on whose first day somebody is away."""
    books = workspace.books
    queues = [replace(q, agents=0.5) if q.queue_id == "late-calls" else q for q in bundled_plan().queues]
    first = replace(bundled_plan(), plan_id=DESK, queues=tuple(queues))
    saved = books.save_plan(first, None)
    books.save_plan(replace(first, effective_from=MONDAY), saved.etag)
    away = DayChange(DayKind.SICK, MONDAY, MONDAY, "early-calls", agents=1)
    etag = books.calendar.change_days(DESK, away, "", validate_only=True).before.etag
    books.calendar.change_days(DESK, away, etag)


def figures(queue_id):
    """Return a change of a queue with every figure but the factor, and its lists."""
    return evaluation.QueueChange(
        queue_id=queue_id,
        agent_count=9,
        added_agent_count=2,
        paid_minutes=480,
        shrinkage=0.2,
        occupancy=0.9,
        committed_minutes=9,
        lists=[evaluation.ListChange(list_name="products", operation=evaluation.LIST_OPERATION_SET, items=["CREDIT_CARD"])],
        time_zone="Asia/Taipei",
    )


def opened(queue):
    """Return a change that opens a queue like another."""
    queue.queue_id = "opened"
    return evaluation.QueueChange(opened=queue)


def _days(kind, **given):
    first, last = write_date(MONDAY), write_date(TUESDAY)
    given = {"queue_id": "early-calls", "note": "flu", **given}
    change = calendar_pb.CapacityDayChange(kind=kind, first_day=first, last_day=last, **given)
    return [calendar_pb.ChangeCapacityDaysRequest(plan_id=DESK, day_change=change, validate_only=True)]


def capacity_requests(queue_id):
    """Return good calls by method name."""
    days = {"first_day": write_date(MONDAY), "last_day": write_date(TUESDAY)}
    back = calendar_pb.TakeBackCapacityRequest
    few = figures(queue_id)
    few.agent_count, few.added_agent_count = 0.5, 0.2
    scaled = evaluation.QueueChange(queue_id="late-calls", capacity_factor=1.5)
    other = calendar_pb.DAY_CHANGE_KIND_OTHER
    new = opened(write_queue(bundled_plan().queues[0]))
    new.queue_id = "opened"
    return {
        "GetCapacityPlan": [
            [pb.GetCapacityPlanRequest(plan_id=DESK, version=1)],
            [pb.GetCapacityPlanRequest(plan_id=DESK, as_of_date=write_date(MONDAY))],
        ],
        "ListCapacityPlanVersions": [[pb.ListCapacityPlanVersionsRequest(plan_id=DESK, page_size=1)]],
        "GetCapacityCalendar": [[calendar_pb.GetCapacityCalendarRequest(plan_id=DESK, **days)]],
        "ChangeCapacityDays": [
            _days(calendar_pb.DAY_CHANGE_KIND_MOVED, agent_count=1, to_queue_id="late-calls"),
            _days(calendar_pb.DAY_CHANGE_KIND_OVERTIME, agent_count=1, overtime_minutes=60),
            _days(other, queue_id=queue_id, change=few),
            _days(other, queue_id="late-calls", change=scaled),
            _days(other, queue_id="opened", change=new),
        ],
        "TakeBackCapacity": [
            [back(plan_id=DESK, version=2, validate_only=True)],
            [back(plan_id=DESK, change_id=1, validate_only=True)],
        ],
    }
