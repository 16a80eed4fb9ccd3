"""Opens rankings for work, beside the turns of those that are open, and holds them against the ledger in a turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from collections_opt.application.day.desk.desks import Desks
from collections_opt.application.day.desk.gate import Gate
from collections_opt.application.day.desk.live_desk import LiveDesk
from collections_opt.application.day.turns import Turns
from collections_opt.core.errors import CollectionsError
from collections_opt.core.scopes import EVERYTHING, seeing
from collections_opt.ledger.events.leases import LeaseTurn


class Openings:
    """Opens rankings. Safe to use from any thread.

    Args:
        desks: rankings in work; touched in turns, and between them.
        turns: where leases change.
        now: the clock.
    """

    def __init__(self, desks: Desks, turns: Turns, now: Callable[[], datetime]) -> None:
        self._desks = desks
        self._turns = turns
        self._now = now
        self._opening = threading.Lock()

    def prepare(self, ranking_id: str) -> None:
        """Open a ranking before its turn: reading a large one and its events takes seconds, in which all others go on.

        Raises:
            CollectionsError: as ``Desks.open``; NOT_FOUND for one out of the caller's sight.
        """
        self._desks.require_in_sight(ranking_id)
        if not self._desks.holds(ranking_id):
            self.open(ranking_id)

    def open(self, ranking_id: str) -> None:
        """Open a ranking as the ledger stands, where it is not; whoever else opens one waits, and turns do not.

        Raises:
            CollectionsError: as ``Desks.open``.
        """
        with self._opening, seeing(EVERYTHING):
            standing = self._turns.read(lambda turn: turn.standing)
            if self._desks.is_open(ranking_id, standing):
                return
            now = self._now()
            desk, gate = self._desks.opened(ranking_id, now, standing)
            # A transaction a page: on SQLite nobody can write during a long one.
            while self._turns.read(lambda turn: self._desks.take_page(desk, turn)):
                pass
            self._desks.place_changed(desk, gate, now)
            self._turns.read(lambda turn: self._desks.catch_up(desk, gate, turn, now))
            self._turns.between(lambda: self._desks.keep(ranking_id, standing, desk, gate))

    def open_worked(self) -> list[str]:
        """Open the newest rankings that are in work, so that a server which starts at noon is ready when it listens.

        Returns:
            Those that can still be worked.
        """
        newest, opened = self._desks.newest(), []
        for ranking_id in sorted(self._turns.read(lambda turn: turn.worked(newest))):
            with suppress(CollectionsError):  # of yesterday: whoever asks for it is told
                self.open(ranking_id)
                opened.append(ranking_id)
        return opened

    def is_open(self, ranking_id: str, turn: LeaseTurn) -> bool:
        """Return whether a ranking is open as the ledger stands."""
        return self._desks.is_open(ranking_id, turn.standing)

    def caught_up(self, turn: LeaseTurn, ranking_id: str, now: datetime) -> tuple[LiveDesk, Gate]:
        """Return a ranking in work and its gate, with all that the turn knows.

        Raises:
            CollectionsError: as ``Desks.open``.
        """
        desk, gate = self._desks.open(ranking_id, now, turn.standing)
        self._desks.catch_up(desk, gate, turn, now)
        return desk, gate

    def currency_of(self, ranking_id: str) -> str:
        """Return the currency of a ranking in work."""
        return self._desks.currency_of(ranking_id)
