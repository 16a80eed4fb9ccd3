"""Plans over time between messages and use cases."""

from __future__ import annotations

from datetime import date

from collections_opt.api.v1 import capacity_calendar_pb2 as pb
from collections_opt.api.v1 import capacity_plan_pb2
from collections_opt.application.resources.calendar_views import CalendarChange, CalendarView, PlannedDays, VersionState
from collections_opt.core.accounts.column_names import told_money
from collections_opt.core.desk.plan_differences import plan_differences
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.wire.common import write_date


def write_days(view: CalendarView) -> list[pb.CapacityDays]:
    """Return days with what each queue has."""
    return [
        pb.CapacityDays(
            first_day=write_date(each.days.first_day),
            last_day=write_date(each.days.last_day),
            standing_version=each.days.version,
            day_change_ids=[change.change_id for change in each.days.changes],
            queues=[
                pb.QueueOfDay(queue_id=queue.queue_id, agent_count=queue.agents, capacity_minutes=queue.capacity_minutes)
                for queue in (each.plan.queues if each.plan else ())
            ],
        )
        for each in view.days
    ]


def write_state(state: VersionState, message: capacity_plan_pb2.CapacityPlan) -> None:
    """Say in a version's message what became of it."""
    message.taken_back = state.taken_back
    message.standing_version = state.standing
    message.day_change_ids.extend(state.change_ids)
    if state.until:
        message.effective_until.CopyFrom(write_date(state.until))
    if state.settled_for:
        message.settled_for.CopyFrom(write_date(state.settled_for))


def write_calendar_change(made: CalendarChange) -> pb.CalendarChange:
    """Return days before and after, and every figure that differs."""
    return pb.CalendarChange(
        before=write_days(made.before),
        after=write_days(made.after),
        differences=_differences(made.before.days, made.after.days),
        etag=made.before.etag,
    )


def _differences(before: tuple[PlannedDays, ...], after: tuple[PlannedDays, ...]) -> list[pb.CapacityDifference]:
    """Return what differs, in one for as many days as both sides stay alike."""
    starts = sorted({each.days.first_day for each in (*before, *after)})
    ends = sorted({each.days.last_day for each in (*before, *after)})
    found = []
    for first, last in zip(starts, ends, strict=True):
        old, new = _plan_on(before, first), _plan_on(after, first)
        if old is None or new is None:
            continue
        found += [
            pb.CapacityDifference(
                first_day=write_date(first),
                last_day=write_date(last),
                queue_id=each.queue_id,
                field=told_money(each.field),
                before=each.before,
                after=each.after,
            )
            for each in plan_differences(old, new)
        ]
    return found


def _plan_on(days: tuple[PlannedDays, ...], day: date) -> CapacityPlan | None:
    return next(each.plan for each in days if each.days.first_day <= day <= each.days.last_day)
