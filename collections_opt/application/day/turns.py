"""Turns shared by whoever waits: one transaction serves all calls that came while the last one ran.

A turn sees everything, whoever asks: one turn serves several callers, and what law forbids hangs on events and leases of all
portfolios. What a limited caller may ask for is settled before (``Dispatch.require_ranking``, ``require_lease``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from collections_opt.core.errors import CollectionsError
from collections_opt.core.scopes import EVERYTHING, seeing
from collections_opt.ledger.events.leases import Asked, Leases, LeaseTurn
from collections_opt.ledger.store.together import Together

Result = TypeVar("Result")
NOTHING = Asked()


class _Call(Generic[Result]):
    """An act, and what it returned or refused in its turn."""

    def __init__(self, act: Callable[[LeaseTurn], Result], asked: Asked, last: bool) -> None:
        self._act, self.asked, self.last = act, asked, last
        self.result: Result | None = None
        self.refusal: CollectionsError | None = None

    def run(self, turn: LeaseTurn) -> None:
        try:
            self.result = self._act(turn)
        except CollectionsError as refusal:
            self.refusal = refusal


def _is_last(call: _Call[Any]) -> bool:
    return call.last


class Turns:
    """Runs acts in turns. Safe to use from any thread.

    Args:
        leases: where turns are had.
        on_failure: called when a turn was undone, whatever of it was seen before.
    """

    def __init__(self, leases: Leases, on_failure: Callable[[], None]) -> None:
        self._leases = leases
        self._on_failure = on_failure
        self._together: Together[_Call[Any]] = Together(self._have_turn)

    def run(self, act: Callable[[LeaseTurn], Result], asked: Asked = NOTHING, last: bool = False) -> Result:
        """Run an act in a turn, perhaps with others; return what it returns once the turn is kept.

        Args:
            act: what is done.
            asked: what it will ask for.
            last: it comes after those that are not: what is given out is given by all that was told.

        Raises:
            CollectionsError: what the act refuses, which it does before it writes; as ``Leases.turn``, for all acts of the turn.
        """
        mine = _Call(act, asked, last)
        self._together.run(mine)
        if mine.refusal is not None:
            raise mine.refusal
        return mine.result  # type: ignore[return-value]

    def look(self, act: Callable[[LeaseTurn], Result]) -> Result:
        """Run an act that only reads, alone in this process."""
        with self._together.alone():
            return self.read(act)

    def read(self, act: Callable[[LeaseTurn], Result]) -> Result:
        """Run an act that only reads, and touches nothing that turns share, beside them."""
        with seeing(EVERYTHING), self._leases.look() as turn:
            return act(turn)

    def between(self, act: Callable[[], None]) -> None:
        """Run an act on what turns share while none runs in this process."""
        with self._together.alone():
            act()

    def in_sight(self, lease_id: str) -> bool:
        """Return whether the present caller may see a lease; one that is not there is not seen either."""
        with self._leases.look() as turn:
            return turn.find(lease_id) is not None

    def _have_turn(self, calls: list[_Call[Any]]) -> None:
        try:
            with seeing(EVERYTHING), self._leases.turn() as turn:
                turn.expect([one.asked for one in calls])
                for one in sorted(calls, key=_is_last):
                    one.run(turn)
        except BaseException:
            self._on_failure()
            raise
