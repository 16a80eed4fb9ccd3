"""Memory that streams of rows may hold: counted as it arrives, so that a refusal comes before the memory is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from collections_opt.core.errors import CollectionsError, Reason, refuse

DEFAULT_IMPORT_BYTES = 4 * 2**30
"""Of one import, in memory or set down: some 10 million accounts of forty columns."""

DEFAULT_TOTAL_BYTES = 6 * 2**30
"""Held in memory by all imports of a server at once."""


class ByteBudget:
    """What all streams of a server hold together. Safe to use from any thread.

    Args:
        each: bytes of one stream.
        total: bytes of all streams at once.
    """

    def __init__(self, each: int = DEFAULT_IMPORT_BYTES, total: int = DEFAULT_TOTAL_BYTES) -> None:
        self._each, self._total = each, total
        self._held = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        with self._lock:
            return self._held

    @contextmanager
    def stream(self) -> Iterator[Held]:
        """Count what a stream holds for the time of a block."""
        held = Held(self)
        try:
            yield held
        finally:
            with self._lock:
                self._held -= held.count

    def grow(self, held: Held, count: int) -> None:
        """Count bytes of a stream; as ``Held.add``."""
        if held.count + held.spooled + count > self._each:
            problem = f"is more than {self._each:,} bytes."
            raise refuse(Reason.LIMIT_EXCEEDED, "import", problem, "Send fewer rows, fewer columns or shorter texts.")
        with self._lock:
            if self._held + count > self._total:
                what = "Other imports hold the memory that there is for imports."
                raise CollectionsError(Reason.OVERLOADED, f"{what} Try again when they have ended.")
            self._held += count
        held.count += count

    def release(self, held: Held, count: int) -> None:
        """Count bytes of a stream as set down; as ``Held.spool``."""
        with self._lock:
            self._held -= count
        held.count, held.spooled = held.count - count, held.spooled + count


class Held:
    """What one stream holds: ``count`` bytes in memory, and ``spooled`` ones that were set down on disk."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.count = 0
        self.spooled = 0

    def spool(self, count: int) -> None:
        """Count bytes that were set down on disk: they take no memory, and still count as the stream's."""
        self._budget.release(self, count)

    def add(self, count: int) -> None:
        """Count bytes that have arrived.

        Raises:
            CollectionsError: LIMIT_EXCEEDED beyond what one stream may hold; OVERLOADED when others hold the rest.
        """
        self._budget.grow(self, count)
