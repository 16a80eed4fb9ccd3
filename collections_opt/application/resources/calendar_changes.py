"""How a change of a calendar is asked for, and decided anew where the calendar changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.desk.calendar import Calendar
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.records import CapacityAct, RequestKey
from collections_opt.ledger.tables.capacity_acts import CALENDAR_STATE

_TRIES = 5
"""Times a decision is made anew because the calendar changed meanwhile; more is another program's loop."""

T = TypeVar("T")


@dataclass(frozen=True)
class CalendarStep:
    """A calendar as it would be, the days that differ, and the act that makes it so."""

    made: Calendar
    days: tuple[date, date]
    act: CapacityAct


@dataclass(frozen=True)
class AskedChange:
    """How a change is asked for: on what it was decided, by whom, whether only to see it, and what makes it happen once."""

    etag: str
    actor: Actor
    validate_only: bool
    key: RequestKey | None = None


def asked_change(etag: str, actor: Actor, validate_only: bool, request_id: str, content: str) -> AskedChange:
    """Return how a change is asked for; one that is to be recorded under a request's id happens once."""
    recorded = request_id and not validate_only
    key = RequestKey(request_id, "capacity.calendar", digest_text(f"{etag}/{content}")) if recorded else None
    return AskedChange(etag, actor, validate_only, key)


def decided_anew(decide: Callable[[], T]) -> T:
    """Return a decision; where the calendar changed before it was recorded, it is made anew."""
    for _ in range(_TRIES - 1):
        try:
            return decide()
        except CollectionsError as error:
            if error.reason is not Reason.ETAG_MISMATCH or error.violations[0].field != CALENDAR_STATE:
                raise
    return decide()


def not_in_force(plan_id: str, day: date) -> CollectionsError:
    """Return the refusal of a day before every version of a plan."""
    return refuse(
        Reason.CAPACITY_PLAN_NOT_EFFECTIVE,
        "plan_id",
        f"no version of {plan_id!r} is in force on {day}.",
        "Add a version that starts by then, or take a later day.",
    )
