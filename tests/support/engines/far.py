"""Rows that only look far: what callers must do where they do not lie in their memory, at the cost of memory."""

from __future__ import annotations

import pickle
from contextlib import contextmanager

import cloudpickle

from collections_opt.engines.here import Here


def sent(function):
    """Return a function as another process would get it: what cannot travel is found here, without one."""
    return pickle.loads(cloudpickle.dumps(function))


class FarEngine:
    """Keeps rows in memory that looks far."""

    least_accounts = 1

    def __init__(self, few: int = 1_000) -> None:
        self._few = few
        self.used = 0

    def start(self):
        pass

    @contextmanager
    def spread(self, columns):
        self.used += 1
        yield Far(Here(columns, 1), self._few)


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
        return self._held.over(sent(work))

    def take(self, rows):
        return self._held.take(rows)

    def some(self, rows):
        chosen = self._held.take(rows)
        return chosen if len(rows) <= self._few else Far(chosen, self._few)

    def changed(self, change):
        return Far(self._held.changed(sent(change)), self._few)

    def kept(self, change):
        return self.changed(change)

    def here(self):
        return self._held
