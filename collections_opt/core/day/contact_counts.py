"""Contacts counted in the person's own days: what was imported counts until its whole window has passed, and what came since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.core.day.event_columns import EventColumns
from collections_opt.core.day.events import Direction, EventKind
from collections_opt.core.limits import MAX_CONTACT_COUNT

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

WINDOW_DAYS = 7
"""Days of the windows of counted contacts; also how late a payment may be told and still stop work on that day."""

_EVER, _MONTH = 0, -1


@dataclass(frozen=True)
class _Window:
    """What a count is of: calls alone or every medium, within so many days; of a month, or of the whole effect window."""

    days: int
    calls: bool = False


_WINDOWS = {
    "contacts_in_window_count": _Window(_EVER),
    "calls_last_7_days_count": _Window(WINDOW_DAYS, calls=True),
    "attempts_last_7_days_count": _Window(WINDOW_DAYS),
    "calls_today_count": _Window(1, calls=True),
    "attempts_today_count": _Window(1),
    "calls_last_2_days_count": _Window(2, calls=True),
    "calls_this_month_count": _Window(_MONTH, calls=True),
    "attempts_this_month_count": _Window(_MONTH),
}


@dataclass(frozen=True)
class CountedDays:
    """Days that contacts are counted by, as day numbers.

    Attributes:
        event: int64 (m,) day of each event where the person is.
        today: int64 (n,) day of each account's person.
        desk: the desk's day.
        imported: the day that the rows describe.
    """

    event: Ints
    today: Ints
    desk: int
    imported: int


def contact_counts(portfolio: Portfolio, events: EventColumns, counts: Mask, days: CountedDays) -> dict[str, Array]:
    """Return the counts of contacts as they stand, by column; of columns that are held only if sent, those that are.

    Args:
        portfolio: n rows as they came.
        events: m events of these rows, whatever kind.
        counts: bool (m,) which events count at all.
        days: when what was.
    """
    outbound = counts & events.is_kind(EventKind.CONTACT) & (events.texts["direction"] == Direction.OUTBOUND.value.encode())
    calls = outbound & (events.texts["channel"] == b"CALL")
    today = days.today[events.row]
    found: dict[str, Array] = {}
    for name, window in _WINDOWS.items():
        if not portfolio.holds(name):
            continue
        mine = calls if window.calls else outbound
        if window.days == _MONTH:
            over, mine = _month(days.desk) != _month(days.imported), mine & (_months(days.event) == _months(today))
        else:
            over = 0 < window.days <= days.desk - days.imported
            mine = mine & ((today - days.event < window.days) | (window.days == _EVER))
        made = np.zeros_like(portfolio.column(name)) if over else portfolio.column(name).copy()
        np.add.at(made, events.row[once(events, mine)], 1)
        found[name] = np.minimum(made, MAX_CONTACT_COUNT)
    return found


def once(events: EventColumns, keep: Mask) -> Ints:
    """Return the indices of some events, each event of a row once however often it is among them."""
    at = np.flatnonzero(keep)
    order = at[np.lexsort((events.texts["event_id"][at], events.row[at]))]
    rows, ids = events.row[order], events.texts["event_id"][order]
    first = np.ones(order.size, dtype=bool)
    first[1:] = (rows[1:] != rows[:-1]) | (ids[1:] != ids[:-1])
    return np.asarray(order[first], dtype=np.int64)


def _months(days: Ints) -> Ints:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _month(day: int) -> int:
    return int(_months(np.array([day], dtype=np.int64))[0])
