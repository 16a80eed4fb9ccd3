"""Rows that only look far: what a solver must do where they do not lie in its memory, at the cost of memory."""

from __future__ import annotations

from collections_opt.engines.here import Here


class Far:
    """Rows in memory that say they are not; ``few`` of them at most are brought here when some are asked for."""

    near = False
    threads = 1

    def __init__(self, held: Here, few: int) -> None:
        self._held, self._few = held, few

    @property
    def rows(self):
        return self._held.rows

    def over(self, work):
        return self._held.over(work)

    def take(self, rows):
        return self._held.take(rows)

    def some(self, rows):
        chosen = self._held.take(rows)
        return chosen if len(rows) <= self._few else Far(chosen, self._few)

    def changed(self, change):
        return Far(self._held.changed(change), self._few)

    def kept(self, change):
        return self.changed(change)

    def here(self):
        return self._held
