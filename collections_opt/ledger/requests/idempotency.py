"""Answers kept by request id, so that a retry gets the answer and not the effect again."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.records import RequestKey
from collections_opt.ledger.store.database import reused
from collections_opt.ledger.store.schema import idempotency_keys as keys


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
