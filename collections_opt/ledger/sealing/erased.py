"""What erasures changed: read back from the log, where each was recorded."""

from __future__ import annotations

import json

import sqlalchemy as sa

from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.store.schema import log_entries


def worklists_digests_after_erasures(connection: sa.Connection) -> dict[str, str]:
    """Return the digest that the latest erasure left each ranking's worklists with, for rankings that any touched."""
    query = sa.select(log_entries.c.content).where(log_entries.c.kind == LogKind.ERASURE.value)
    latest: dict[str, str] = {}
    for content in connection.execute(query.order_by(log_entries.c.position)).scalars():
        latest.update(json.loads(content)["worklists"])
    return latest


def worklists_digest_after_erasures(connection: sa.Connection, ranking_id: str) -> str | None:
    """Return the digest that the latest erasure left a ranking's worklists with, None where none touched them."""
    query = sa.select(log_entries.c.content).where(log_entries.c.kind == LogKind.ERASURE.value)
    for content in connection.execute(query.order_by(log_entries.c.position.desc())).scalars():
        digest: str | None = json.loads(content)["worklists"].get(ranking_id)
        if digest is not None:
            return digest
    return None
