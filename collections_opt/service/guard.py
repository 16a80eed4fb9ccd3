"""What every call passes before its use case runs: a deadline, who calls, a free place, and nothing unexpected on the way out."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NoReturn

import grpc
import structlog

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.service.access import Access
from collections_opt.service.metrics import CANCELLED, OK, ServerMetrics
from collections_opt.wire.status import internal, to_call_status

MAX_DEADLINE_SECONDS = 86_400.0
"""A deadline beyond a day bounds nothing; grpc also reports a missing one as a very distant one."""

LOG_INTERVAL_SECONDS = 10.0
"""At most one log line per method and interval for malformed messages, which anyone can send at any rate."""

_log = structlog.get_logger()


class CallClass(StrEnum):
    """Which calls share a pool of places, so that one kind of work cannot starve another."""

    READ = "READ"
    """Answers from what is stored."""
    WORK = "WORK"
    """Scores, checks, starts rankings."""
    BULK = "BULK"
    """Streams whole portfolios and rankings."""
    WATCH = "WATCH"
    """Waits for progress."""


WORK_PLACES = (os.cpu_count() or 1) + 1
"""Work is bound by the cores: one place more than cores keeps them busy, and any further one adds latency and no throughput. What
this gives at twice the load is the bench ``overload``."""

DEFAULT_PLACES: Mapping[CallClass, int] = MappingProxyType(
    {CallClass.READ: 16, CallClass.WORK: WORK_PLACES, CallClass.BULK: 2, CallClass.WATCH: 16}
)
"""Calls in flight per class. Bulk calls hold whole portfolios in memory."""


@dataclass
class _RateLimitedLog:
    clock: Callable[[], float]
    last: dict[str, float] = field(default_factory=dict)
    suppressed: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def warn(self, method: str) -> None:
        with self.lock:
            moment = self.clock()
            if moment - self.last.get(method, -LOG_INTERVAL_SECONDS) < LOG_INTERVAL_SECONDS:
                self.suppressed[method] = self.suppressed.get(method, 0) + 1
                return
            self.last[method] = moment
            suppressed = self.suppressed.pop(method, 0)
        _log.warning("malformed message", method=method, suppressed_count=suppressed)


class Guard:
    """Admits calls and turns every way they can end badly into one status.

    Args:
        places: calls in flight per class.
        clock: monotonic seconds, for the interval between log lines.
        new_incident_id: makes the id that ties a caller's INTERNAL to a log line.
        access: who may call what.
        metrics: counts every call.
    """

    def __init__(
        self,
        places: Mapping[CallClass, int] = DEFAULT_PLACES,
        clock: Callable[[], float] = time.monotonic,
        new_incident_id: Callable[[], str] = lambda: uuid.uuid4().hex[:12],
        access: Access = Access(),  # noqa: B008 - frozen
        metrics: ServerMetrics | None = None,
    ) -> None:
        self._places = {kind: threading.BoundedSemaphore(count) for kind, count in places.items()}
        self._malformed = _RateLimitedLog(clock)
        self._new_incident_id = new_incident_id
        self._access = access
        self._clock = clock
        self._metrics = metrics or ServerMetrics()

    @contextmanager
    def call(self, method: str, kind: CallClass, context: grpc.ServicerContext) -> Iterator[None]:
        """Hold a place for the body and abort the call with the right status when the body raises."""
        started, outcome = self._clock(), CANCELLED
        try:
            _require_deadline(context)
            self._access.admit(method, context)
            with self._place(kind):
                yield
            outcome = OK
        except CollectionsError as error:
            outcome = error.reason.value
            if error.reason is Reason.MALFORMED_MESSAGE:
                self._malformed.warn(method)
            _abort(context, error)
        except Exception as error:
            if not context.is_active():
                _log.info("call abandoned", method=method)
                raise
            outcome = Reason.INTERNAL.value
            incident = self._new_incident_id()
            _log.error("call failed", method=method, incident=incident, exc_info=error)
            _abort(context, internal(incident))
        finally:
            self._metrics.count_call(method, outcome, self._clock() - started)

    @contextmanager
    def _place(self, kind: CallClass) -> Iterator[None]:
        place = self._places[kind]
        if not place.acquire(blocking=False):
            raise CollectionsError(
                Reason.OVERLOADED, "All places for this kind of call are taken. Try again after the delay given."
            )
        try:
            yield
        finally:
            place.release()


def _require_deadline(context: grpc.ServicerContext) -> None:
    remaining = context.time_remaining()
    if remaining is None or remaining > MAX_DEADLINE_SECONDS:
        raise refuse(
            Reason.DEADLINE_REQUIRED, "deadline", "is missing or more than a day away.", "Set how long you are ready to wait."
        )


def _abort(context: grpc.ServicerContext, error: CollectionsError) -> NoReturn:
    context.abort_with_status(to_call_status(error))
    raise AssertionError("abort_with_status returned")
