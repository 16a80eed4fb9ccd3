"""Parts of a day between message and core."""

from __future__ import annotations

from datetime import time

from collections_opt.api.v1 import day_window_pb2 as pb
from collections_opt.core.desk.day_windows import DAY_MINUTES, DayWindow
from collections_opt.core.errors import Reason, refuse


def read_window(message: pb.DayWindow, path: str) -> DayWindow:
    """Return a part of a day.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a minute that no day has.
    """
    start = _minute(message.start_minute, f"{path}.start_minute", 0, DAY_MINUTES - 1)
    end = _minute(message.end_minute, f"{path}.end_minute", 1, DAY_MINUTES)
    return DayWindow(start, end)


def write_window(first: int, after: int) -> pb.DayWindow | None:
    """Return the minutes of a part of a day as a message, or None where they are negative: not known."""
    return pb.DayWindow(start_minute=first, end_minute=after) if first >= 0 else None


def _minute(minute: int, path: str, low: int, high: int) -> time:
    if not low <= minute <= high:
        raise refuse(Reason.INVALID_ARGUMENT, path, f"{minute} is no minute of a day.", f"Send {low} to {high:,}.")
    return time(minute % DAY_MINUTES // 60, minute % 60)
