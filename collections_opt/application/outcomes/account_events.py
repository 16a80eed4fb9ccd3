"""Events of a stored portfolio's accounts as columns: those since its as-of date."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.sealed_records import StoredPortfolio
from collections_opt.core.day.event_columns import EventColumns
from collections_opt.core.day.events import EventKind, RecordedEvent
from collections_opt.ledger.events.event_log import EventLog, StoredEvent

Ints = NDArray[np.int64]

OF_PERSONS = frozenset({EventKind.FLAG, EventKind.REVERSAL, EventKind.CONTACT})
"""Kinds that matter of what is told about a person alone."""

_PAGE = 1_000


def events_of(log: EventLog, stored: StoredPortfolio, last: int) -> EventColumns:
    """Return what happened to a portfolio's accounts, those of erased ones left out.

    Args:
        log: all events.
        stored: the portfolio.
        last: number of the last event that counts.
    """
    portfolio = stored.portfolio
    begins = datetime.combine(portfolio.as_of_date, time(), ZoneInfo(portfolio.time_zone)) - timedelta(hours=1)
    after = log.before(begins)
    rows: list[Ints] = []
    events: list[RecordedEvent] = []
    who = _Rows(stored)
    while after < last and (page := log.after(after, _PAGE)):
        after = page[-1].recorded.sequence
        kept = [one for one in page if one.recorded.sequence <= last and one.recorded.event is not None]
        for one, mine in zip(kept, who.of(kept), strict=True):
            if mine.size:
                rows.append(mine)
                events += [one.recorded] * mine.size
    return EventColumns.of(np.concatenate(rows).tolist() if rows else [], events)


class _Rows:
    """Finds the rows that events concern."""

    def __init__(self, stored: StoredPortfolio) -> None:
        self._by_key = np.argsort(stored.key_no, kind="stable")
        self._keys = stored.key_no[self._by_key]
        customers = stored.portfolio.column("customer_id")
        self._by_customer = np.argsort(customers, kind="stable")
        self._customers = customers[self._by_customer]

    def of(self, page: list[StoredEvent]) -> list[Ints]:
        """Return the rows of each event, none for whom is not in the portfolio."""
        numbers = np.array([one.account_no for one in page], dtype=np.int64)
        at = np.minimum(np.searchsorted(self._keys, numbers), max(self._keys.size - 1, 0))
        there = self._keys[at] == numbers if self._keys.size else np.zeros(numbers.size, dtype=bool)
        nobody = np.zeros(0, dtype=np.int64)
        return [
            self._by_key[place : place + 1].astype(np.int64) if known else (self._persons(one) if one.account_no < 0 else nobody)
            for one, place, known in zip(page, at.tolist(), there.tolist(), strict=True)
        ]

    def _persons(self, one: StoredEvent) -> Ints:
        event = one.recorded.event
        if event is None or not event.customer_id or event.kind not in OF_PERSONS:
            return np.zeros(0, dtype=np.int64)
        low, high = (int(np.searchsorted(self._customers, event.customer_id.encode(), side=side)) for side in ("left", "right"))
        return self._by_customer[low:high].astype(np.int64)
