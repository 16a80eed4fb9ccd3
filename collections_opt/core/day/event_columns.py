"""Events of accounts as columns, each joined with the row that it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.day.events import Event, EventKind, RecordedEvent

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_ONE = date(1970, 1, 1)
_QUARTER = 15 * 60 * 1_000_000
_DAY = 24 * 60 * 60 * 1_000_000
_TEXTS = ("event_id", "channel", "direction", "result", "flag", "choice", "state", "time_zone", "outcome", "reverses")
_TEXTS_TOO = ("promise_event_id", "queue_id")
_NUMBERS = ("amount_minor", "balance_minor", "arrears_minor", "days_past_due", "hours_from", "hours_until", "seconds")


def microseconds(at: datetime) -> int:
    """Return an instant as microseconds since 1970, UTC."""
    return (at - EPOCH) // timedelta(microseconds=1)


def day_number(day: date) -> int:
    """Return a day as a number; 1970-01-01 is 0."""
    return (day - DAY_ONE).days


def local_days(instants: Ints, zones: NDArray[np.object_]) -> Ints:
    """Return the local day of each instant in a zone, int64 (m,) day numbers.

    Args:
        instants: int64 (m,) microseconds.
        zones: (m,) IANA names.
    """
    result = np.zeros(instants.size, dtype=np.int64)
    for zone in set(zones.tolist()):
        mine = np.flatnonzero(zones == zone)
        quarters, inverse = np.unique(instants[mine] // _QUARTER, return_inverse=True)
        ahead = np.array([_ahead(zone, quarter) for quarter in quarters.tolist()], dtype=np.int64)
        result[mine] = (instants[mine] + ahead[inverse]) // _DAY
    return result


@lru_cache(maxsize=65_536)
def _ahead(zone: str, quarter: int) -> int:
    """Return how far a zone's clocks are ahead of UTC in a quarter of an hour, in microseconds."""
    shift = (EPOCH + timedelta(microseconds=quarter * _QUARTER)).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return shift // timedelta(microseconds=1)


@dataclass(frozen=True)
class EventColumns:
    """m events, each with the row of an account that it concerns; an event about a person stands once per account.

    Attributes:
        row: int64 (m,).
        sequence: int64 (m,).
        occurred: int64 (m,) microseconds UTC.
        recorded: int64 (m,) microseconds UTC.
        kind: (m,) ``EventKind`` names.
        of_person: bool (m,) the event names no account.
        is_set: bool (m,).
        due_day: int64 (m,) day numbers, -1 for none.
        numbers: int64 (m,) each, by field of ``Event``.
        texts: bytes (m,) each, by field of ``Event``.
    """

    row: Ints
    sequence: Ints
    occurred: Ints
    recorded: Ints
    kind: Array
    of_person: Mask
    is_set: Mask
    due_day: Ints
    numbers: dict[str, Ints]
    texts: dict[str, Array]

    @classmethod
    def of(cls, rows: Sequence[int], events: Sequence[RecordedEvent]) -> EventColumns:
        """Return events, which must not be erased, as columns; ``rows`` says whom each concerns."""
        held: list[Event] = [event.event for event in events if event.event is not None]
        every = (*_TEXTS, *_TEXTS_TOO)

        def ints(values: Sequence[Any]) -> Ints:
            return np.array(values, dtype=np.int64)

        return cls(
            row=ints(rows),
            sequence=ints([event.sequence for event in events]),
            occurred=ints([microseconds(event.occurred_at) for event in held]),
            recorded=ints([microseconds(event.recorded_at) for event in events]),
            kind=np.array([event.kind.value for event in held], dtype="U16"),
            of_person=np.array([not event.account_id for event in held], dtype=bool),
            is_set=np.array([event.is_set for event in held], dtype=bool),
            due_day=ints([day_number(event.due_date) if event.due_date else -1 for event in held]),
            numbers={name: ints([getattr(event, name) for event in held]) for name in _NUMBERS},
            texts={
                name: np.array([getattr(event, name).encode() for event in held], dtype=np.bytes_ if held else "S1")
                for name in every
            },
        )

    @property
    def count(self) -> int:
        """Number of events m."""
        return int(self.row.size)

    def take(self, keep: Mask) -> EventColumns:
        """Return some events."""
        return EventColumns(
            self.row[keep],
            self.sequence[keep],
            self.occurred[keep],
            self.recorded[keep],
            self.kind[keep],
            self.of_person[keep],
            self.is_set[keep],
            self.due_day[keep],
            {name: column[keep] for name, column in self.numbers.items()},
            {name: column[keep] for name, column in self.texts.items()},
        )

    def is_kind(self, kind: EventKind) -> Mask:
        """Return which events are of a kind, bool (m,)."""
        return np.asarray(self.kind == kind.value, dtype=bool)

    def standing(self) -> Mask:
        """Return which events were not taken back, bool (m,); a reversal takes back an event of the same account or person only.

        Reversals take back neither reversals nor ends of leases.
        """
        taken_back = np.zeros(self.count, dtype=bool)
        reversals = np.flatnonzero(self.is_kind(EventKind.REVERSAL))
        if reversals.size:
            subject = list(zip(self.row.tolist(), self.of_person.tolist(), self.texts["event_id"].tolist(), strict=True))
            gone = {(subject[at][0], subject[at][1], self.texts["reverses"][at]) for at in reversals.tolist()}
            taken_back = np.array([one in gone for one in subject], dtype=bool)
            taken_back &= ~self.is_kind(EventKind.REVERSAL) & ~self.is_kind(EventKind.LEASE)
        return ~taken_back & ~self.is_kind(EventKind.REVERSAL)

    def last_by_row(self, keep: Mask, stricter: Mask | None = None) -> Ints:
        """Return the last event of each row among some, int64 (k,): by instant, the stricter of two at once, then id."""
        at = np.flatnonzero(keep)
        strict = np.zeros(at.size, dtype=bool) if stricter is None else stricter[at]
        order = at[np.lexsort((self.texts["event_id"][at], strict, self.occurred[at], self.row[at]))]
        rows = self.row[order]
        ends = np.ones(order.size, dtype=bool)
        ends[:-1] = rows[1:] != rows[:-1]
        return order[ends]
