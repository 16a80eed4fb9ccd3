"""A plan's minutes shared between two plans, and whether the minutes of two plans stand as their people do."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from collections_opt.core.desk.queues import CapacityPlan, Queue

_NANO = 1_000_000_000
"""Shares are in 1e-9."""

TOLERANCE = 0.01
"""By how much of a queue's minutes in both plans the challenger's may be off its share."""

LEAST_TOLERANCE_MINUTES = 1.0
"""Minutes by which they may be off in any case: minutes are shared whole."""


@dataclass(frozen=True)
class UnevenQueue:
    """A queue whose minutes do not stand as the people of two plans do."""

    queue_id: str
    minutes: float
    challenger_minutes: float


def shared_queues(plan: CapacityPlan, challenger: CapacityPlan) -> tuple[tuple[Queue, Queue], ...]:
    """Return the queues that two plans both have, in the order of the first."""
    theirs = {queue.queue_id: queue for queue in challenger.queues}
    return tuple((queue, theirs[queue.queue_id]) for queue in plan.queues if queue.queue_id in theirs)


def uneven_queues(plan: CapacityPlan, challenger: CapacityPlan, share: float) -> tuple[UnevenQueue, ...]:
    """Return the queues of both plans whose minutes do not stand as ``share`` to the rest, within the tolerance.

    A queue that one plan alone has is part of what sets the plans apart.

    Args:
        plan: works whoever is not drawn.
        challenger: works whoever is drawn.
        share: chance of being drawn.
    """
    found = []
    for queue, other in shared_queues(plan, challenger):
        minutes, theirs = queue.capacity_minutes, other.capacity_minutes
        whole = minutes + theirs
        if abs(theirs - share * whole) > max(LEAST_TOLERANCE_MINUTES, TOLERANCE * whole):
            found.append(UnevenQueue(queue.queue_id, minutes, theirs))
    return tuple(found)


def split_plan(plan: CapacityPlan, share_nano: int, plan_id: str, challenger_plan_id: str) -> tuple[CapacityPlan, CapacityPlan]:
    """Return two plans that share a plan's minutes: whole minutes of each queue, which add up to its whole minutes.

    Committed minutes are shared as the people are, and agents so that the minutes come out exactly; all else stays.

    Args:
        plan: the whole one.
        share_nano: the challenger's share, in 1e-9.
        plan_id: id of the part that works whoever is not drawn.
        challenger_plan_id: id of the part that works whoever is drawn.
    """
    ours, theirs = [], []
    share = share_nano / _NANO
    for queue in plan.queues:
        whole = math.floor(queue.capacity_minutes + 1e-6)
        part = (2 * whole * share_nano + _NANO) // (2 * _NANO)  # the nearest whole minute, a half upwards
        ours.append(_with_minutes(queue, whole - part, 1.0 - share))
        theirs.append(_with_minutes(queue, part, share))
    return (
        replace(plan, plan_id=plan_id, version=0, queues=tuple(ours)),
        replace(plan, plan_id=challenger_plan_id, version=0, queues=tuple(theirs)),
    )


def _with_minutes(queue: Queue, minutes: int, share: float) -> Queue:
    """Return a queue with so many minutes of its own, and a share of those that are committed."""
    committed = queue.committed_minutes * share
    per_agent = queue.paid_minutes * (1.0 - queue.shrinkage) * queue.occupancy
    agents = (minutes + committed) / per_agent if minutes else 0.0
    return replace(queue, agents=agents, committed_minutes=committed)
