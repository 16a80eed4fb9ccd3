"""The wall-clock guard outside the deterministic limits of a solve."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta


class Deadline:
    """Counts down from its creation and remembers whether it ever decided anything.

    Args:
        seconds: time allowed, or None for no guard.
        clock: returns seconds since some moment, never fewer than before; None takes that of the process.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.monotonic
        self._end = None if seconds is None else self._clock() + seconds
        self.fired = False

    def expired(self) -> bool:
        """Tell whether time is up; a caller that asks is about to act on the answer, so True is remembered."""
        if self._end is not None and not self.fired and self._clock() >= self._end:
            self.fired = True
        return self.fired

    def left(self) -> timedelta | None:
        """Return the time left, at least a millisecond, or None without a guard."""
        return None if self._end is None else timedelta(seconds=max(1e-3, self._end - self._clock()))
