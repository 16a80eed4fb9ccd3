"""What a servicer sees of a call: its metadata, how long its caller waits, and whether the caller is still there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class CallFacts(Protocol):
    """What is known of a call as soon as its headers are there; grpc's own contexts have it too."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """Return the metadata sent with the call."""
        ...

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return what grpc verified of the connection, such as a client certificate's names."""
        ...


@dataclass(frozen=True)
class Call:
    """A call that was let in; safe to use from any thread.

    Attributes:
        metadata: sent with the call.
        connection: what grpc verified of the connection.
        deadline: when the caller stops waiting, on ``clock``.
        clock: monotonic seconds.
        left: set when the caller went away or its time was over.
    """

    metadata: tuple[tuple[str, str | bytes], ...]
    connection: Mapping[str, Iterable[bytes]]
    deadline: float
    clock: Callable[[], float] = time.monotonic
    left: threading.Event = field(default_factory=threading.Event)

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """Return the metadata sent with the call."""
        return self.metadata

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return what grpc verified of the connection."""
        return self.connection

    def time_remaining(self) -> float:
        """Return the seconds for which the caller still waits, never negative."""
        return max(0.0, self.deadline - self.clock())

    def is_active(self) -> bool:
        """Tell whether somebody still waits for the answer."""
        return not self.left.is_set() and self.time_remaining() > 0
