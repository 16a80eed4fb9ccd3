"""Who may hold how much of the server at once: places of work by class and caller, and calls whose message has not come.

A call takes a place only when its message is complete, so that silence costs a caller nothing but its own turn.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.access.methods import CallClass

T = TypeVar("T")


WORK_PLACES = (os.cpu_count() or 1) + 1
"""Work is bound by the cores: one place more than cores keeps them busy, and any further one adds latency and no throughput. What
this gives at twice the load is the bench ``overload``."""

DEFAULT_PLACES: Mapping[CallClass, int] = MappingProxyType(
    {CallClass.READ: 16, CallClass.WORK: WORK_PLACES, CallClass.BULK: 3, CallClass.DISPATCH: 256, CallClass.WATCH: 16}
)
"""Calls in flight per class. Bulk calls hold whole portfolios in memory."""

MAX_WAITING_CALLS = 128
"""Calls whose message has not come. Each may hold one incomplete message, so this bounds their memory to half a gigabyte."""

MAX_WAITING_OF_CALLER = 64
"""Of these, how many may be one caller's."""


MAX_IN_LINE = 6
"""Complete calls of a class that wait a moment for a place: with the places of one caller on two cores, eight workers."""


def caller_share(places: int) -> int:
    """Return how many of a class's places one caller may hold: a quarter, and at least one of several, stays for the others."""
    return max(1, places - max(1, places // 4))


class Places:
    """Counts the calls in flight. Safe to use from any thread.

    Args:
        places: calls in flight per class.
        of_caller: how many of these one caller may hold; ``caller_share`` of each class where None.
    """

    def __init__(self, places: Mapping[CallClass, int], of_caller: Mapping[CallClass, int] | None = None) -> None:
        self._places = dict(places)
        self._of_caller = dict(of_caller or {kind: caller_share(count) for kind, count in places.items()})
        self._taken: dict[CallClass, Counter[str]] = {kind: Counter() for kind in places}
        self._lock = threading.Lock()

    def take(self, kind: CallClass, caller: str) -> Callable[[], None]:
        """Take a place; return what gives it back, once.

        Raises:
            CollectionsError: OVERLOADED when all places are taken, or all that this caller may have.
        """
        with self._lock:
            taken = self._taken[kind]
            if taken.total() >= self._places[kind]:
                what = "All places for this kind of call are taken."
                raise CollectionsError(Reason.OVERLOADED, f"{what} Try again after the delay given.")
            if taken[caller] >= self._of_caller[kind]:
                what = f"You have {taken[caller]} calls of this kind in flight, all that one caller may have."
                raise CollectionsError(Reason.OVERLOADED, f"{what} Wait for one, or try again after the delay given.")
            taken[caller] += 1
        return lambda: self._give_back(kind, caller)

    def has_free(self, kind: CallClass, caller: str | None = None) -> bool:
        """Tell whether a place is free, for a caller where one is named."""
        with self._lock:
            taken = self._taken[kind]
            return taken.total() < self._places[kind] and (caller is None or taken[caller] < self._of_caller[kind])

    def _give_back(self, kind: CallClass, caller: str) -> None:
        with self._lock:
            taken = self._taken[kind]
            taken[caller] -= 1
            if not taken[caller]:
                del taken[caller]

    def in_use(self) -> Mapping[CallClass, int]:
        """Return how many places are taken."""
        with self._lock:
            return {kind: taken.total() for kind, taken in self._taken.items()}


class Line:
    """Complete calls that wait a moment for a place, the first first: eight workers of a platform that call at once are served
    one after the other, and only a burst that lasts is refused. Used by the event loop alone, but for ``waits``.

    Args:
        places: what is waited for.
        most: calls of a class that may wait; each holds its first message.
    """

    def __init__(self, places: Places, most: int = MAX_IN_LINE) -> None:
        self._places, self._most = places, most
        self._lines: dict[CallClass, dict[asyncio.Future[Callable[[], None] | None], str]] = defaultdict(dict)

    async def place(self, kind: CallClass, caller: str, seconds: float) -> Callable[[], None]:
        """Take a place, waiting for one for so long; return what gives it back, once.

        Raises:
            CollectionsError: OVERLOADED when none came free in time, or too many wait already.
        """
        line = self._lines[kind]
        if len(line) >= self._most or (not line and self._places.has_free(kind, caller)):
            return self._places.take(kind, caller)
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Callable[[], None] | None] = loop.create_future()
        line[turn] = caller
        self.move(kind)
        late = loop.call_later(seconds, _give_up, turn)
        try:
            taken = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and (given := turn.result()):
                given()
                self.move(kind)
            raise
        finally:
            late.cancel()
            line.pop(turn, None)
        return taken or self._places.take(kind, caller)

    def require_hope(self, kind: CallClass, caller: str) -> None:
        """Refuse a call that would find the line full, before anything more is done for it.

        Raises:
            CollectionsError: OVERLOADED.
        """
        if len(self._lines.get(kind, ())) >= self._most and not self._places.has_free(kind, caller):
            self._places.take(kind, caller)()  # says which limit it was; a place that came free just now is given back

    def waits(self, kind: CallClass) -> bool:
        """Tell whether anybody waits for a place of a class; safe from any thread."""
        return bool(self._lines.get(kind))

    def move(self, kind: CallClass) -> None:
        """Hand free places to those who wait longest."""
        for turn, caller in list(self._lines[kind].items()):
            if not self._places.has_free(kind):
                return
            if not turn.done() and self._places.has_free(kind, caller):  # else it left, or this caller has all it may have
                del self._lines[kind][turn]
                turn.set_result(self._places.take(kind, caller))


def _give_up(turn: asyncio.Future[Callable[[], None] | None]) -> None:
    if not turn.done():
        turn.set_result(None)


class Waiting:
    """The calls whose message has not come, oldest first; used by the event loop alone.

    Refusing newcomers when there are too many would let silent calls shut the server; here the oldest silent call of whoever has
    most must leave instead, and a call whose message follows its headers is never waiting for long.

    Args:
        most: calls in all.
        of_caller: calls of one caller.
    """

    def __init__(self, most: int = MAX_WAITING_CALLS, of_caller: int = MAX_WAITING_OF_CALLER) -> None:
        self._most, self._of_caller = most, of_caller
        self._callers: dict[str, dict[int, asyncio.Task[object]]] = defaultdict(dict)
        self._sent_away: set[int] = set()
        self._since: dict[int, float] = {}
        self._last = 0

    async def until(self, caller: str, work: Awaitable[T]) -> T:
        """Wait for ``work`` in a caller's name.

        Raises:
            CollectionsError: OVERLOADED when too many wait and this is the one that must leave.
        """
        task = asyncio.current_task()
        assert task is not None
        ticket = self._enter(caller, task)
        try:
            return await work
        except asyncio.CancelledError:
            if ticket not in self._sent_away:
                raise
            task.uncancel()
            what = "This call sent no message while others came who needed its place."
            raise CollectionsError(Reason.OVERLOADED, f"{what} Send the message with the call.") from None
        finally:
            self._leave(caller, ticket)
            self._sent_away.discard(ticket)

    def make_room(self, seconds: float) -> None:
        """Let the call go that waits longest, if it does for that long."""
        entered = [(next(iter(calls)), caller) for caller, calls in self._callers.items()]
        if entered and asyncio.get_running_loop().time() - self._since[min(entered)[0]] >= seconds:
            self._send_oldest_away(min(entered)[1])

    def __len__(self) -> int:
        """Return how many calls wait."""
        return sum(map(len, self._callers.values()))

    def _enter(self, caller: str, task: asyncio.Task[object]) -> int:
        if len(self._callers.get(caller, ())) >= self._of_caller:
            self._send_oldest_away(caller)
        elif len(self) >= self._most:
            self._send_oldest_away(max(self._callers, key=lambda name: len(self._callers[name])))
        self._last += 1
        self._callers[caller][self._last] = task
        self._since[self._last] = asyncio.get_running_loop().time()
        return self._last

    def _leave(self, caller: str, ticket: int) -> None:
        calls = self._callers.get(caller, {})
        calls.pop(ticket, None)
        self._since.pop(ticket, None)
        if not calls:
            self._callers.pop(caller, None)

    def _send_oldest_away(self, caller: str) -> None:
        ticket, task = next(iter(self._callers[caller].items()))
        self._leave(caller, ticket)
        self._sent_away.add(ticket)
        task.cancel()
