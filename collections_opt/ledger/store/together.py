"""Calls that wait for each other's transactions wait for the disk once: one transaction serves all that came meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

MAX_TOGETHER = 64
"""Calls of one transaction: the first of them waits for the last."""

Call = TypeVar("Call")


@dataclass
class _Waiting(Generic[Call]):
    call: Call
    error: BaseException | None = None
    served: bool = False


class Together(Generic[Call]):
    """Serves calls in batches, in the order in which they came. Safe to use from any thread.

    Args:
        serve: serves a batch in one transaction, and returns once that is kept; what it raises is raised to all of the batch.
    """

    def __init__(self, serve: Callable[[list[Call]], None]) -> None:
        self._serve = serve
        self._queue_lock, self._turn_lock = threading.Lock(), threading.Lock()
        self._waiting: list[_Waiting[Call]] = []

    def run(self, call: Call) -> None:
        """Return once a call was served, perhaps with others.

        Raises:
            BaseException: what serving its batch raised.
        """
        mine = _Waiting(call)
        with self._queue_lock:
            self._waiting.append(mine)
        with self._turn_lock:
            while not mine.served:
                with self._queue_lock:
                    batch, self._waiting[:] = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
                self._serve_batch(batch)
        if mine.error is not None:
            raise mine.error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within the block, let no batch be served."""
        with self._turn_lock:
            yield

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
