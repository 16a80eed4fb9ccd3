"""Days that differ from the plan: who is sick or on holiday, overtime, a queue closed, agents lent to another queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_CHANGED_DAYS, MAX_NOTE_CHARACTERS


class DayKind(StrEnum):
    """Why a queue differs for some days."""

    SICK = "SICK"
    """Agents are away."""
    HOLIDAY = "HOLIDAY"
    """Agents are away, and that was known before."""
    OVERTIME = "OVERTIME"
    """Agents stay longer, each by as many paid minutes."""
    CLOSED = "CLOSED"
    """Nobody works the queue."""
    MOVED = "MOVED"
    """Agents work another queue; they bring their own paid minutes."""
    OTHER = "OTHER"
    """Any change of a queue."""


@dataclass(frozen=True)
class DayChange:
    """A change of one queue that ends by itself.

    Attributes:
        kind: why.
        first_day: first as-of date.
        last_day: last as-of date; the first is a change of one day.
        queue_id: the queue.
        agents: how many are sick, away, stay longer or are moved; 0 for CLOSED and OTHER.
        minutes: OVERTIME: paid minutes that each stays longer; else 0.
        to_queue_id: MOVED: the queue that they work; else "".
        change: OTHER: the change, which may open the queue; else None.
        note: for people.
    """

    kind: DayKind
    first_day: date
    last_day: date
    queue_id: str
    agents: float = 0.0
    minutes: float = 0.0
    to_queue_id: str = ""
    change: QueueChange | None = None
    note: str = ""


@dataclass(frozen=True)
class StoredDayChange:
    """A change that stands in the calendar, under its number."""

    change_id: int
    change: DayChange


def check_day_change(change: DayChange) -> None:
    """Refuse a change that says too little or contradicts itself, whatever plan it is made on.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault.
    """
    found = tuple(_violations(change))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"The change has {len(found)} field(s) at fault.", found)


def _violations(change: DayChange) -> Iterator[FieldViolation]:
    if change.last_day < change.first_day:
        yield FieldViolation("last_day", f"{change.last_day} is before {change.first_day}.", "Give the last day that differs.")
    elif (change.last_day - change.first_day).days >= MAX_CHANGED_DAYS:
        yield FieldViolation(
            "last_day", "is too late.", f"Change at most {MAX_CHANGED_DAYS} days, or store a plan's next version."
        )
    yield from _figure_violations(change)
    yield from _target_violations(change)
    if len(change.note) > MAX_NOTE_CHARACTERS:
        yield FieldViolation("note", f"has {len(change.note)} characters.", f"Use at most {MAX_NOTE_CHARACTERS:,}.")


def _figure_violations(change: DayChange) -> Iterator[FieldViolation]:
    kind = change.kind
    counts = kind not in (DayKind.CLOSED, DayKind.OTHER)
    if counts and not 0 < change.agents <= 100_000:
        yield FieldViolation("agents", f"{change.agents:g} agents.", "Give how many, more than 0.")
    if not counts and change.agents:
        yield FieldViolation("agents", f"means nothing for {kind}.", "Leave it out.")
    if kind is DayKind.OVERTIME and not 0 < change.minutes <= 1_440:
        yield FieldViolation("minutes", f"{change.minutes:g} minutes.", "Give the minutes that each stays longer, up to 1,440.")
    if kind is not DayKind.OVERTIME and change.minutes:
        yield FieldViolation("minutes", f"means nothing for {kind}.", "Leave it out.")


def _target_violations(change: DayChange) -> Iterator[FieldViolation]:
    kind, other = change.kind, change.change
    if (kind is DayKind.MOVED) != bool(change.to_queue_id):
        yield FieldViolation("to_queue_id", "goes with MOVED and with nothing else.", "Name the queue that they work.")
    elif kind is DayKind.MOVED and change.to_queue_id == change.queue_id:
        yield FieldViolation("to_queue_id", "is the queue that they come from.", "Name another queue.")
    if (kind is DayKind.OTHER) != (other is not None):
        yield FieldViolation("change", "goes with OTHER and with nothing else.", "Say what changes.")
    elif other is not None:
        if other.queue_id != change.queue_id:
            yield FieldViolation("change.queue_id", "is another queue than the one named.", "Change the queue named.")
        if other.opened is not None and other.opened.queue_id != change.queue_id:
            yield FieldViolation("change.opened.queue_id", "is another queue than the one named.", "Open the queue named.")


def changed_on_days(plan: CapacityPlan, changes: Sequence[StoredDayChange]) -> CapacityPlan:
    """Return a plan as it is on a day on which changes stand, made in order; its version stays.

    Raises:
        CollectionsError: NOT_FOUND or INVALID_ARGUMENT, naming the change that does not fit the plan.
    """
    version = plan.version
    for stored in changes:
        try:
            plan = changed_plan(plan, queue_changes(plan, stored.change))
        except CollectionsError as error:
            found = tuple(replace(v, field=_told(v.field, stored)) for v in error.violations)
            message = f"{_title(stored)} does not fit version {version} of {plan.plan_id!r}: {error.message}"
            raise CollectionsError(error.reason, message, found) from error
    return replace(plan, version=version)


def _told(field: str, stored: StoredDayChange) -> str:
    """Return a field of a queue's change as one of the change of days: agents that become negative, a queue that is not there."""
    name = field.partition(".")[2] or field
    name = f"change.{name}" if stored.change.kind is DayKind.OTHER and name != "queue_id" else name
    return f"day_changes[{stored.change_id}].{name}" if stored.change_id else name


def _title(stored: StoredDayChange) -> str:
    change = stored.change
    named = f"Change {stored.change_id}" if stored.change_id else "The change"
    return f"{named} ({change.kind} in {change.queue_id!r}, {change.first_day} to {change.last_day})"


def queue_changes(plan: CapacityPlan, change: DayChange) -> tuple[QueueChange, ...]:
    """Return what a change of days does to the queues of a plan.

    Raises:
        CollectionsError: NOT_FOUND for a queue that is not in the plan; INVALID_ARGUMENT for one that pays no minutes.
    """
    if change.kind is DayKind.CLOSED:
        return (QueueChange(change.queue_id, closed=True),)
    if change.kind is DayKind.OTHER:
        assert change.change is not None
        return (change.change,)
    fewer = QueueChange(change.queue_id, added_agents=-change.agents)
    if change.kind in (DayKind.SICK, DayKind.HOLIDAY):
        return (fewer,)
    paid = _paid_minutes(plan, change.queue_id, "queue_id")
    if change.kind is DayKind.OVERTIME:  # paid minutes of the desk's own kind: breaks and occupancy take their share of them
        return (QueueChange(change.queue_id, added_agents=change.agents * change.minutes / paid),)
    theirs = _paid_minutes(plan, change.to_queue_id, "to_queue_id")
    return fewer, QueueChange(change.to_queue_id, added_agents=change.agents * paid / theirs)


def _paid_minutes(plan: CapacityPlan, queue_id: str, field: str) -> float:
    paid = {queue.queue_id: queue.paid_minutes for queue in plan.queues}
    if queue_id not in paid:
        raise refuse(Reason.NOT_FOUND, field, f"{queue_id!r} is not in the plan.", f"Use one of: {', '.join(paid)}.", queue_id)
    if not paid[queue_id] > 0:
        raise refuse(Reason.INVALID_ARGUMENT, field, f"{queue_id!r} pays no minutes.", "Store a version that says how many.")
    return paid[queue_id]
