"""Recorded events joined with the rows of a portfolio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.sealed_records import StoredPortfolio
from collections_opt.core.day.event_columns import EventColumns
from collections_opt.core.day.events import RecordedEvent
from collections_opt.ledger.events.stored_events import StoredEvent

Ints = NDArray[np.int64]
_PAGE = 1_000


@dataclass(frozen=True)
class ToldEvents:
    """Events of a portfolio's accounts and persons.

    Attributes:
        columns: the events, each with its row.
        last: sequence of the last event that was read, whomever it concerns.
        erased_count: events that were erased since, whomever they concerned.
    """

    columns: EventColumns
    last: int
    erased_count: int


def told_events(stored: StoredPortfolio, read: Callable[[int, int], list[StoredEvent]], through: int | None = None) -> ToldEvents:
    """Return the events about a portfolio's accounts, in order.

    Args:
        stored: the portfolio.
        read: returns events after a sequence, at most so many.
        through: the last sequence that counts; None reads all there are.
    """
    rows_of = RowsOf(stored)
    rows: list[int] = []
    found: list[RecordedEvent] = []
    last = erased = 0
    while page := read(last, _PAGE):
        counted = [one for one in page if through is None or one.recorded.sequence <= through]
        for one in counted:
            last = one.recorded.sequence
            erased += one.recorded.event is None
            concerned = rows_of(one)
            rows += concerned
            found += [one.recorded] * len(concerned)
        if len(counted) < _PAGE:
            break
    return ToldEvents(EventColumns.of(rows, found), last, erased)


class RowsOf:
    """Finds the rows that an event concerns: its account's, or all of its person's; none for strangers and erased ones."""

    def __init__(self, stored: StoredPortfolio) -> None:
        self._by_key = np.argsort(stored.key_no, kind="stable")
        self._keys = stored.key_no[self._by_key]
        customers = stored.portfolio.column("customer_id")
        self._by_customer = np.argsort(customers, kind="stable")
        self._customers = customers[self._by_customer]

    def __call__(self, stored: StoredEvent) -> list[int]:
        """Return the rows."""
        event = stored.recorded.event
        if event is None:
            return []
        if stored.account_no >= 0:
            return self.of_key(stored.account_no)
        return self.of_customer(event.customer_id.encode())

    def of_key(self, key_no: int) -> list[int]:
        """Return the row of an account by the number of its key, none for one that is not here."""
        at = int(np.searchsorted(self._keys, key_no))
        return [int(self._by_key[at])] if at < self._keys.size and self._keys[at] == key_no else []

    def of_keys(self, key_no: Ints) -> Ints:
        """Return the row of each of many accounts by the numbers of their keys, int64 (k,); -1 for those that are not here."""
        if not self._keys.size:
            return np.full(key_no.size, -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._keys, key_no), self._keys.size - 1)
        return np.where(self._keys[at] == key_no, self._by_key[at], -1)

    def of_customer(self, customer_id: bytes) -> list[int]:
        """Return the rows of a person's accounts; none for no id."""
        if not customer_id:
            return []
        low, high = (int(np.searchsorted(self._customers, customer_id, side=side)) for side in ("left", "right"))
        return [int(row) for row in self._by_customer[low:high].tolist()]
