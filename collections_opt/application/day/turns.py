"""Turns shared by whoever waits: one transaction serves all calls that came while the last one ran.

A transaction waits for the disk, and calls wait for each other's transactions; together they wait once.

A turn sees everything, whoever asks: one turn serves several callers, and what law forbids hangs on events and leases of all
portfolios. What a limited caller may ask for is settled before (``Dispatch.require_ranking``, ``require_lease``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from collections_opt.core.errors import CollectionsError
from collections_opt.core.scopes import EVERYTHING, seeing
from collections_opt.ledger.events.leases import Leases, LeaseTurn

MAX_TOGETHER = 64
"""Calls of one transaction: the first of them waits for the last."""

Result = TypeVar("Result")


class _Waiting(Generic[Result]):
    def __init__(self, act: Callable[[LeaseTurn], Result]) -> None:
        self.act = act
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.served = False


class Turns:
    """Runs acts in turns. Safe to use from any thread.

    Args:
        leases: where turns are had.
        on_failure: called when a turn was undone, whatever of it was seen before.
    """

    def __init__(self, leases: Leases, on_failure: Callable[[], None]) -> None:
        self._leases = leases
        self._on_failure = on_failure
        self._queue_lock, self._turn_lock = threading.Lock(), threading.Lock()
        self._waiting: list[_Waiting[Any]] = []

    def run(self, act: Callable[[LeaseTurn], Result]) -> Result:
        """Run an act in a turn, perhaps with others; return what it returns once the turn is kept.

        Raises:
            CollectionsError: what the act refuses, which it does before it writes; as ``Leases.turn``, for all acts of the turn.
        """
        mine = _Waiting(act)
        with self._queue_lock:
            self._waiting.append(mine)
        with self._turn_lock:
            while not mine.served:
                with self._queue_lock:
                    together, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
                self._serve(together)
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]

    def look(self, act: Callable[[LeaseTurn], Result]) -> Result:
        """Run an act that only reads, alone in this process."""
        with self._turn_lock, seeing(EVERYTHING), self._leases.look() as turn:
            return act(turn)

    def in_sight(self, lease_id: str) -> bool:
        """Return whether the present caller may see a lease; one that is not there is not seen either."""
        with self._leases.look() as turn:
            return turn.find(lease_id) is not None

    def _serve(self, together: list[_Waiting[Any]]) -> None:
        try:
            with seeing(EVERYTHING), self._leases.turn() as turn:
                for one in together:
                    self._act(one, turn)
        except BaseException as error:
            self._on_failure()
            for one in together:
                one.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for one in together:
                one.served = True

    @staticmethod
    def _act(one: _Waiting[Any], turn: LeaseTurn) -> None:
        try:
            one.result = one.act(turn)
        except CollectionsError as error:
            one.error = error
