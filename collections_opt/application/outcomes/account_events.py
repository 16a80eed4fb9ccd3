"""Events of a stored portfolio's accounts as columns: those since its as-of date."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from collections_opt.application.rankings.told_rows import RowsOf
from collections_opt.application.records.sealed_records import StoredPortfolio
from collections_opt.core.day.event_columns import EventColumns
from collections_opt.core.day.events import EventKind, RecordedEvent
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.stored_events import StoredEvent

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
    rows: list[int] = []
    events: list[RecordedEvent] = []
    rows_of = RowsOf(stored)
    while after < last and (page := log.after(after, _PAGE)):
        after = page[-1].recorded.sequence
        kept = [one for one in page if one.recorded.sequence <= last and one.recorded.event is not None]
        numbers = np.array([one.account_no for one in kept], dtype=np.int64)
        for one, row in zip(kept, rows_of.of_keys(numbers).tolist(), strict=True):
            concerned = [row] if row >= 0 else _of_person(rows_of, one)
            rows += concerned
            events += [one.recorded] * len(concerned)
    return EventColumns.of(rows, events)


def _of_person(rows_of: RowsOf, one: StoredEvent) -> list[int]:
    event = one.recorded.event
    if one.account_no >= 0 or event is None or event.kind not in OF_PERSONS:
        return []
    return rows_of.of_customer(event.customer_id.encode())
