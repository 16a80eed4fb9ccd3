"""Changes of queues and of days between message and core."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from collections_opt.api.v1 import capacity_calendar_pb2 as calendar_pb
from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.desk.capacity_changes import CAPACITY_FIELDS, QueueChange
from collections_opt.core.desk.day_changes import DayChange, DayKind
from collections_opt.core.desk.list_changes import ListChange, ListOperation
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_LIST_ITEMS
from collections_opt.wire.actors import write_recorded_actor
from collections_opt.wire.common import read_date, read_enum, write_date, write_enum, write_time
from collections_opt.wire.plans import read_queue, write_queue

_FIGURES: Mapping[str, str] = MappingProxyType(
    {name: name for name in (*CAPACITY_FIELDS, "capacity_factor")}
    | {"agents": "agent_count", "added_agents": "added_agent_count"}
)
"""Field of the message per figure of a change."""

DAY_HEADS: Mapping[str, str] = MappingProxyType(
    {
        name: f"day_change.{told}"
        for name, told in {
            "first_day": "first_day",
            "last_day": "last_day",
            "agents": "agent_count",
            "minutes": "overtime_minutes",
            "to_queue_id": "to_queue_id",
            "queue_id": "queue_id",
            "change": "change",
            "note": "note",
        }.items()
    }
)
"""Where the core's fields of a change of days are in a request."""


def read_queue_change(message: pb.QueueChange, path: str) -> QueueChange:
    """Return a change of a queue; ``path`` is where it is in the request.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing enum; LIMIT_EXCEEDED.
    """
    given = {ours: getattr(message, theirs) for ours, theirs in _FIGURES.items() if message.HasField(theirs)}  # type: ignore[arg-type]
    opened = read_queue(message.opened, f"{path}.opened") if message.HasField("opened") else None
    if len(message.lists) > MAX_LIST_ITEMS:
        raise refuse(Reason.LIMIT_EXCEEDED, f"{path}.lists", f"{len(message.lists)} changes.", f"Send at most {MAX_LIST_ITEMS}.")
    return QueueChange(
        message.queue_id,
        **given,
        closed=message.closed,
        opened=opened,
        lists=tuple(_read_list(each, f"{path}.lists[{index}]") for index, each in enumerate(message.lists)),
        time_zone=message.time_zone if message.HasField("time_zone") else None,
    )


def write_queue_change(change: QueueChange) -> pb.QueueChange:
    """Return a change of a queue as a message."""
    figures = {theirs: getattr(change, ours) for ours, theirs in _FIGURES.items()}
    return pb.QueueChange(
        queue_id=change.queue_id,
        **figures,
        closed=change.closed,
        opened=write_queue(change.opened) if change.opened else None,
        lists=[
            pb.ListChange(
                list_name=each.list_name,
                operation=write_enum(pb.ListOperation.DESCRIPTOR, each.operation.value),
                items=each.items,
            )
            for each in change.lists
        ],
        time_zone=change.time_zone,
    )


def read_day_change(message: calendar_pb.CapacityDayChange) -> DayChange:
    """Return a change of days; what a caller sets in OUTPUT_ONLY fields is ignored.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing date or enum.
    """
    return DayChange(
        kind=DayKind(read_enum(calendar_pb.DayChangeKind.DESCRIPTOR, message.kind, "day_change.kind")),
        first_day=read_date(message.first_day, "day_change.first_day"),
        last_day=read_date(message.last_day, "day_change.last_day"),
        queue_id=message.queue_id,
        agents=message.agent_count,
        minutes=message.overtime_minutes,
        to_queue_id=message.to_queue_id,
        change=read_queue_change(message.change, "day_change.change") if message.HasField("change") else None,
        note=message.note,
    )


def write_day_change(
    change: DayChange, change_id: int = 0, created_at: str = "", actor: Actor = UNKNOWN
) -> calendar_pb.CapacityDayChange:
    """Return a change of days as a message; number, time (ISO 8601) and actor are those of a stored one."""
    return calendar_pb.CapacityDayChange(
        change_id=change_id,
        kind=write_enum(calendar_pb.DayChangeKind.DESCRIPTOR, change.kind.value),
        first_day=write_date(change.first_day),
        last_day=write_date(change.last_day),
        queue_id=change.queue_id,
        agent_count=change.agents,
        overtime_minutes=change.minutes,
        to_queue_id=change.to_queue_id,
        change=write_queue_change(change.change) if change.change else None,
        note=change.note,
        create_time=write_time(created_at) if created_at else None,
        saved_by=write_recorded_actor(actor),
    )


def _read_list(message: pb.ListChange, path: str) -> ListChange:
    if len(message.items) > MAX_LIST_ITEMS:
        raise refuse(Reason.LIMIT_EXCEEDED, f"{path}.items", f"{len(message.items)} items.", f"Send at most {MAX_LIST_ITEMS}.")
    operation = ListOperation(read_enum(pb.ListOperation.DESCRIPTOR, message.operation, f"{path}.operation"))
    return ListChange(message.list_name, operation, tuple(message.items))
