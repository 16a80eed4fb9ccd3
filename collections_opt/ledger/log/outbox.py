"""The outbox: what happened to rankings, written in the transaction that made it happen, read in order by whoever acts on it.

A reader keeps the number of the last event it dealt with and asks for those after it. Numbers are given under the writer's
lock, so that they follow the order of commits and no event ever appears behind a reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.records import LedgerEvent
from collections_opt.ledger.store.database import Store, check_size
from collections_opt.ledger.store.schema import outbox


class Outbox(Store):
    """Events in the order of their commits."""

    def after(self, seq: int, size: int) -> list[LedgerEvent]:
        """Return events in order, after one (0 for all), at most ``size``."""
        query = outbox.select().where(outbox.c.seq > seq).order_by(outbox.c.seq).limit(check_size(size))
        with self._database.read() as connection:
            return [LedgerEvent(**row) for row in connection.execute(query).mappings()]


def insert_event(connection: sa.Connection, kind: str, subject: str, payload: Mapping[str, Any], created_at: str) -> None:
    """Write an event, within the transaction of what it tells."""
    last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(outbox.c.seq), 0))).scalar_one()
    connection.execute(outbox.insert(), asdict(LedgerEvent(last + 1, kind, subject, canonical_json(payload), created_at)))
