"""Parts of a day: in the hours of a law, and in the hours of a desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

DAY_MINUTES = 1_440


@dataclass(frozen=True)
class DayWindow:
    """A part of one day, local wall clock.

    Attributes:
        start: first minute.
        end: the minute after the last; 00:00 is the end of the day.
    """

    start: time
    end: time

    @property
    def minutes(self) -> tuple[int, int]:
        """Minutes from midnight: the first, and the one after the last."""
        return _minutes(self.start), _minutes(self.end) or DAY_MINUTES

    @property
    def problem(self) -> str:
        """What is wrong with the window, or ""."""
        if any(edge.tzinfo is not None or edge.second or edge.microsecond for edge in (self.start, self.end)):
            return "hours are whole minutes without a zone."
        first, after = self.minutes
        return "" if first < after else f"{self.start:%H:%M} to {self.end:%H:%M} is no part of one day."


def _minutes(edge: time) -> int:
    return edge.hour * 60 + edge.minute


def shown_minutes(first: int, after: int) -> str:
    """Return a part of a day for people, such as 15:00 to 20:00.

    Args:
        first: minutes from midnight.
        after: the minute after the last.
    """
    return f"{first // 60:02d}:{first % 60:02d} to {after // 60:02d}:{after % 60:02d}"
