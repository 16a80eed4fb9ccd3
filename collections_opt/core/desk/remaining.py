"""What is left of a plan's day: capacity without the minutes that are spent and committed, and the hours still to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

from collections_opt.core.desk.day_windows import DAY_MINUTES, DayWindow
from collections_opt.core.desk.queues import CapacityPlan, Queue


def remaining_plan(plan: CapacityPlan, used_seconds: Mapping[str, int], at: datetime, time_zone: str) -> CapacityPlan:
    """Return a plan with what is left of its day.

    Each queue keeps ``max(0, capacity - used)`` seconds; a queue whose hours are over keeps none.

    Args:
        plan: of the day.
        used_seconds: spent and committed, by queue id.
        at: now.
        time_zone: IANA zone of windows that name none.
    """
    queues = tuple(_rest(queue, used_seconds.get(queue.queue_id, 0), at, time_zone) for queue in plan.queues)
    return replace(plan, queues=queues)


def _rest(queue: Queue, used: int, at: datetime, time_zone: str) -> Queue:
    windows = _still_to_come(queue, at, time_zone)
    if queue.windows and not windows:  # none at all would mean that the plan does not know its hours
        return replace(queue, committed_minutes=queue.committed_minutes + queue.capacity_minutes)
    return replace(queue, committed_minutes=queue.committed_minutes + used / 60.0, windows=windows)


def _still_to_come(queue: Queue, at: datetime, time_zone: str) -> tuple[DayWindow, ...]:
    clock = at.astimezone(ZoneInfo(queue.time_zone or time_zone))
    minute = clock.hour * 60 + clock.minute
    found = []
    for window in queue.windows:
        first, after = window.minutes
        start = max(first, minute)
        if start < min(after, DAY_MINUTES):
            found.append(replace(window, start=time(start // 60, start % 60)))
    return tuple(found)
