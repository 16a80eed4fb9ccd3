"""The minutes around one day, as clocks of a zone show them: laws and desks speak of local time, and only instants compare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.day_windows import DAY_MINUTES, DayWindow
from collections_opt.core.rules.feasts import feast_days
from collections_opt.core.rules.tables import Rule, Weekday

GRID_DAYS = 3
"""The day before, the day and the day after: zones differ by up to 26 hours."""

GRID_MINUTES = GRID_DAYS * DAY_MINUTES
Mask = NDArray[np.bool_]
_WEEK = tuple(Weekday)


@dataclass(frozen=True, eq=False)
class Clock:
    """What clocks of a zone show in every minute of the grid, which begins at midnight UTC of the day before.

    Attributes:
        day: int64 (GRID_MINUTES,) local days after the day before.
        minute: int64 (GRID_MINUTES,) local minutes from midnight.
    """

    day: NDArray[np.int64]
    minute: NDArray[np.int64]


@lru_cache(maxsize=4_096)
def offsets(zone: str, day: date) -> tuple[tuple[int, int], ...]:
    """Return what a zone's clocks are ahead of UTC: pairs of first minute of the grid and minutes ahead, found to the minute.

    Zones that agree around the day give the same.
    """
    place = ZoneInfo(zone)
    start = datetime.combine(day, time(), UTC) - timedelta(days=1)

    def ahead(minute: int) -> int:
        shift = (start + timedelta(minutes=minute)).astimezone(place).utcoffset() or timedelta()
        return int(shift.total_seconds() // 60)

    found = [(0, ahead(0))]
    for hour in range(60, GRID_MINUTES, 60):
        if ahead(hour) != found[-1][1]:
            was = found[-1][1]
            changed = next(minute for minute in range(hour - 59, hour + 1) if ahead(minute) != was)
            found.append((changed, ahead(changed)))
    return tuple(found)


def clock_of(shifts: tuple[tuple[int, int], ...]) -> Clock:
    """Return the clock of a zone's ``offsets``."""
    first = np.array([minute for minute, _ in shifts])
    ahead = np.array([shift for _, shift in shifts])
    minutes = np.arange(GRID_MINUTES)
    local = minutes + ahead[np.searchsorted(first, minutes, side="right") - 1]
    return Clock(local // DAY_MINUTES, local % DAY_MINUTES)


def lawful_minutes(rule: Rule, clock: Clock, day: date) -> Mask:
    """Return the minutes of the grid in which a rule of hours lets people at a clock be contacted, bool (GRID_MINUTES,)."""
    within = np.zeros(GRID_MINUTES, dtype=bool)
    for after in range(-1, GRID_DAYS + 1):
        local = day + timedelta(days=after - 1)
        if local in feast_days(rule.closed_on, local.year):
            continue
        name = _WEEK[local.weekday()]
        for hours in rule.hours:
            if not hours.days or name in hours.days:
                within |= (clock.day == after) & _inside(hours, clock)
    return within


def desk_minutes(windows: tuple[DayWindow, ...], clock: Clock) -> Mask:
    """Return the minutes of the grid in which a desk works on the day itself, bool (GRID_MINUTES,)."""
    within = np.zeros(GRID_MINUTES, dtype=bool)
    for window in windows:
        within |= _inside(window, clock)
    return np.asarray(within & (clock.day == 1), dtype=bool)


def longest_run(within: Mask) -> tuple[int, int]:
    """Return the longest stretch of minutes, the earliest among equals: its first and the one after its last.

    Some minute must be in it.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], within, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def _inside(window: DayWindow, clock: Clock) -> Mask:
    first, after = window.minutes
    return np.asarray((clock.minute >= first) & (clock.minute < after), dtype=bool)
