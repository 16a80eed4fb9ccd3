"""What the calendar of a plan says: the plan on a day, days in a row, what a change does, what became of a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from collections_opt.application.settings import load
from collections_opt.core.desk.calendar import Calendar, CalendarDays, StandingVersion
from collections_opt.core.desk.day_changes import DayChange, StoredDayChange
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.ledger.records import CapacityActKind, CapacityBook, PlanRecord


@dataclass(frozen=True)
class PlanOnDay:
    """A plan as it is on a day.

    Attributes:
        plan: with the changes of the day; its version is the standing one.
        standing: the record of that version.
        changes: what stands on the day.
    """

    plan: CapacityPlan
    standing: PlanRecord
    changes: tuple[StoredDayChange, ...]


@dataclass(frozen=True)
class PlannedDays:
    """Days in a row that are alike, with the plan as it is on them; None where no version has started."""

    days: CalendarDays
    plan: CapacityPlan | None


@dataclass(frozen=True)
class CalendarView:
    """A plan from one day to another.

    Attributes:
        days: in order, without gaps.
        etag: changes with anything that is in force on these days, and with nothing else.
    """

    days: tuple[PlannedDays, ...]
    etag: str


@dataclass(frozen=True)
class CalendarChange:
    """What a change of the calendar did, or would do.

    Attributes:
        before: the days concerned as they were.
        after: as they are now.
        change_id: number of the act, and of a change of days; 0 where it was only checked.
    """

    before: CalendarView
    after: CalendarView
    change_id: int = 0


@dataclass(frozen=True)
class VersionState:
    """What became of a stored version.

    Attributes:
        taken_back: it is in force on no day.
        until: last day before another version takes over; None where none is to follow, and where it does not stand.
        settled_for: the only day that it is of; None for what was stored as a version.
        standing: the version that the changes of that day were made on; 0 elsewhere.
        change_ids: those changes.
    """

    taken_back: bool = False
    until: date | None = None
    settled_for: date | None = None
    standing: int = 0
    change_ids: tuple[int, ...] = ()


def calendar_of(book: CapacityBook) -> Calendar:
    """Return what stands of a plan, from its versions and acts."""
    gone = {act.number for act in book.acts if act.kind is CapacityActKind.DAYS_TAKEN_BACK}
    return Calendar(
        standing=tuple(StandingVersion(version, date.fromisoformat(day)) for version, day in book.standing),
        changes=tuple(
            StoredDayChange(act.act, load(act.payload, DayChange))
            for act in book.acts
            if act.kind is CapacityActKind.DAYS and act.act not in gone
        ),
    )
