"""Reads that are remembered until something is recorded: whatever decides leaves a leaf in the log, so the last leaf tells."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar, cast

from collections_opt.ledger.store.database import Database, Store

MOST_REMEMBERED = 256
"""Reads kept, the latest used."""

_LAST_LEAF = "SELECT position, leaf_hash FROM log_entries ORDER BY position DESC LIMIT 1"

LastLeaf = tuple[int, str]

Read = TypeVar("Read")


class Moments(Store):
    """Moments of the ledger: what is read within one is at least as new as its start, and asks the database once in all.

    Model events, plans, and saved and approved resources are written in one transaction with a leaf of the log, one writer at a
    time. So what was read when the log ended in some leaf holds as long as it ends there, whichever process writes.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._moment: ContextVar[LastLeaf | None] = ContextVar("moment", default=None)
        self._remembered: OrderedDict[Hashable, tuple[LastLeaf, object]] = OrderedDict()
        self._memory = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Within the block, let ``remembered`` answer as of its start or later; the outermost block counts."""
        if self._moment.get() is not None:
            yield
            return
        before = self._moment.set(self._last_leaf())
        try:
            yield
        finally:
            self._moment.reset(before)

    def remembered(self, key: Hashable, read: Callable[[], Read]) -> Read:
        """Return what ``read`` returns, which nobody may change; outside of a moment it is read each time.

        Args:
            key: names what is read, and with what; two that read differently have different keys.
            read: reads what leaves a leaf in the log whenever it changes.
        """
        moment = self._moment.get()
        if moment is None:
            return read()
        with self._memory:
            found = self._remembered.get(key)
            if found is not None and found[0] == moment:
                self._remembered.move_to_end(key)
                return cast("Read", found[1])
        value = read()  # perhaps newer than the moment it is kept for: then it is read anew too early, never too late
        with self._memory:
            self._remembered[key] = (moment, value)
            self._remembered.move_to_end(key)
            while len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return value

    def _last_leaf(self) -> LastLeaf:
        row = self._database.first_row(_LAST_LEAF)
        return (int(row[0]), str(row[1])) if row else (-1, "")
