"""Calls that wait for each other's transactions wait for the disk once: one transaction serves all that came meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

MAX_TOGETHER = 64
"""Calls of one transaction: the first of them waits for the last."""

Call = TypeVar("Call")


@dataclass
class _Waiting(Generic[Call]):
    call: Call
    woken: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None
    served: bool = False


class Together(Generic[Call]):
    """Serves calls in batches, in the order in which they came. Safe to use from any thread.

    Whoever finds nobody serving serves: itself, and who came meanwhile. Then the first of those who still wait goes on, so that
    nobody who was served waits for another batch.

    Args:
        serve: serves a batch in one transaction, and returns once that is kept; what it raises is raised to all of the batch.
    """

    def __init__(self, serve: Callable[[list[Call]], None]) -> None:
        self._serve = serve
        self._queue_lock, self._turn_lock = threading.Lock(), threading.Lock()
        self._waiting: list[_Waiting[Call]] = []
        self._is_served = False

    def run(self, call: Call) -> None:
        """Return once a call was served, perhaps with others.

        Raises:
            BaseException: what serving its batch raised.
        """
        mine = _Waiting(call)
        with self._queue_lock:
            self._waiting.append(mine)
            leads, self._is_served = not self._is_served, True
        if not leads:
            mine.woken.wait()
        if not mine.served:
            self._lead()
        if mine.error is not None:
            raise mine.error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within the block, let no batch be served."""
        with self._turn_lock:
            yield

    def _lead(self) -> None:
        """Serve those who wait, the caller first of all, and let another go on."""
        batch: list[_Waiting[Call]] = []
        try:
            with self._turn_lock:
                with self._queue_lock:
                    batch, self._waiting[:] = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
                self._serve_batch(batch)
        finally:
            with self._queue_lock:
                following = self._waiting[0] if self._waiting else None
                self._is_served = following is not None
            if following is not None:
                following.woken.set()
            for one in batch:
                one.woken.set()

    def _serve_batch(self, batch: list[_Waiting[Call]]) -> None:
        try:
            self._serve([one.call for one in batch])
        except BaseException as error:
            for one in batch:
                one.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for one in batch:
                one.served = True
