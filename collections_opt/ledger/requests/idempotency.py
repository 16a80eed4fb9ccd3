"""Answers kept by request id, so that a retry gets the answer and not the effect again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.store.database import Store, reused, timestamp
from collections_opt.ledger.store.schema import idempotency_keys as keys
from collections_opt.ledger.tables.records import RequestKey


class Idempotency(Store):
    """Answers of calls whose effect lives outside the ledger's own tables; its own writes keep theirs in their transaction."""

    def recall(self, request: RequestKey) -> str | None:
        """Return the answer (JSON) to a request that came before, None for a new one.

        Raises:
            CollectionsError: REQUEST_ID_REUSED when the id came with another method or payload.
        """
        with self._database.read() as connection:
            return stored_answer(connection, request)

    def remember(self, request: RequestKey, response: str, now: datetime) -> str:
        """Keep the answer (JSON) to a request, and return the one kept first.

        Raises:
            CollectionsError: REQUEST_ID_REUSED as ``recall``.
        """
        created_at = timestamp(now)
        with self._database.write() as connection:
            stored = stored_answer(connection, request)
            if stored is None:
                insert_answer(connection, request, response, created_at)
        return response if stored is None else stored


def stored_answer(connection: sa.Connection, request: RequestKey) -> str | None:
    """Return the answer kept for a request, within a transaction.

    Raises:
        CollectionsError: REQUEST_ID_REUSED.
    """
    row = connection.execute(keys.select().where(keys.c.request_id == request.request_id)).mappings().first()
    if row is None:
        return None
    if (row["method"], row["payload_digest"]) != (request.method, request.payload_digest):
        raise reused(request.request_id)
    return str(row["response"])


def insert_answer(connection: sa.Connection, request: RequestKey, response: str, created_at: str) -> None:
    """Keep an answer, within the transaction of its effect."""
    insert_logged(connection, LogKind.ANSWER, {**asdict(request), "response": response, "created_at": created_at})
