"""What every call passes before its use case runs: a deadline, who calls, a free place, and nothing unexpected on the way out."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import structlog

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.incidents import trace_of
from collections_opt.service.access.call import Call
from collections_opt.service.access.metadata import system_of
from collections_opt.service.access.methods import CallClass
from collections_opt.service.access.roles import Access
from collections_opt.service.metrics import ServerMetrics
from collections_opt.service.server.places import DEFAULT_PLACES, Places
from collections_opt.wire.status import internal

MAX_DEADLINE_SECONDS = 86_400.0
"""A deadline beyond a day bounds nothing; grpc also reports a missing one as a very distant one."""

LOG_INTERVAL_SECONDS = 10.0
"""At most one log line per method and interval for malformed messages, which anyone can send at any rate."""

_log = structlog.get_logger()

ServerContext = grpc.aio.ServicerContext[Any, Any]
"""What grpc's event loop hands over with a call."""


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


@dataclass(frozen=True)
class Admitted:
    """A call that may go on, and in whose name its places are counted."""

    call: Call
    caller: str


class Guard:
    """Admits calls and turns every way they can end badly into one refusal.

    Args:
        places: calls in flight per class.
        clock: monotonic seconds.
        new_incident_id: makes the id that ties a caller's INTERNAL to a log line.
        access: who may call what.
        metrics: counts every call.
        of_caller: places that one caller may hold; ``places.caller_share`` of each class where None.
    """

    def __init__(
        self,
        places: Mapping[CallClass, int] = DEFAULT_PLACES,
        clock: Callable[[], float] = time.monotonic,
        new_incident_id: Callable[[], str] = lambda: uuid.uuid4().hex[:12],
        access: Access = Access(),  # noqa: B008 - frozen
        metrics: ServerMetrics | None = None,
        of_caller: Mapping[CallClass, int] | None = None,
    ) -> None:
        self.places = Places(places, of_caller)
        self.clock = clock
        self._malformed = _RateLimitedLog(clock)
        self._new_incident_id = new_incident_id
        self.access = access
        self._metrics = metrics or ServerMetrics()

    def admit(self, method: str, context: ServerContext) -> Admitted:
        """Let a call in from what its headers say, before its message is read.

        A caller is the name of its token, else of its certificate, else its connection.

        Raises:
            CollectionsError: DEADLINE_REQUIRED; or what ``Access.admit`` refuses.
        """
        remaining = _deadline(context)
        metadata = tuple((key, value) for key, value in context.invocation_metadata() or ())
        call = Call(metadata, context.auth_context(), self.clock() + remaining, self.clock)
        actor = self.access.admit(method, call)
        system = system_of(call)
        if actor is not None:
            return Admitted(call, f"actor {actor.name}")
        return Admitted(call, f"system {system}" if system else f"connection {context.peer()}")

    def refusal(self, method: str, error: Exception) -> CollectionsError:
        """Return what a caller learns of an error, and log what only the operator may know."""
        if isinstance(error, CollectionsError):
            if error.reason is Reason.MALFORMED_MESSAGE:
                self._malformed.warn(method)
            return error
        incident = self._new_incident_id()
        _log.error("call failed", method=method, incident=incident, error=type(error).__name__, exception=trace_of(error))
        return internal(incident)

    def ended(self, method: str, outcome: str, started: float) -> None:
        """Count a call that began at ``started`` and ended."""
        self._metrics.count_call(method, outcome, self.clock() - started)


def _deadline(context: ServerContext) -> float:
    remaining: float | None = context.time_remaining()
    if remaining is None or remaining > MAX_DEADLINE_SECONDS:
        raise refuse(
            Reason.DEADLINE_REQUIRED, "deadline", "is missing or more than a day away.", "Set how long you are ready to wait."
        )
    return remaining
