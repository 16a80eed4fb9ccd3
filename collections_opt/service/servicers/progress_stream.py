"""Long work as a stream: progress while it runs, then its results; a caller that leaves stops it at its next progress report."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress

T = TypeVar("T")


class _CallerLeft(Exception):  # noqa: N818 - not an error: nobody waits for the result any more
    pass


def progress_stream(work: Callable[[ProgressCallback], Iterator[T]]) -> Iterator[SolveProgress | T]:
    """Yield what ``work`` reports and yields, in order; closing the iterator stops the work and waits for it.

    Raises:
        Exception: whatever ``work`` raises, where it raised it.
    """
    channel: queue.SimpleQueue[tuple[str, SolveProgress | T | BaseException | None]] = queue.SimpleQueue()
    left = threading.Event()

    def report(progress: SolveProgress) -> None:
        if left.is_set():
            raise _CallerLeft
        channel.put(("item", progress))

    def run() -> None:
        try:
            for item in work(report):
                if left.is_set():
                    return
                channel.put(("item", item))
            channel.put(("end", None))
        except BaseException as error:  # noqa: BLE001 - it is raised again where the caller waits
            channel.put(("error", error))

    context = contextvars.copy_context()  # so that stages within it stop when the call's caller has left
    worker = threading.Thread(target=context.run, args=(run,), name="long-call", daemon=True)
    worker.start()
    try:
        while True:
            kind, item = channel.get()
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(item, BaseException)
                raise item
            yield item  # type: ignore[misc]
    finally:
        left.set()
        worker.join()
