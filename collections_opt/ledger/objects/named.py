"""Which objects the records name: what a sweep must keep, what a backup must hold, and what a check must find."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.objects.folder import ObjectStore, is_digest
from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.schema import metadata, outcome_records, portfolios, rankings
from collections_opt.ledger.store.standing_portfolios import standing_portfolio

DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_WITHOUT_DIGESTS = ("ranking_entries",)
_BATCH_ROWS = 1_000

ObjectsOf = Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
"""Returns key and digest of every object that a ranking's record names; whoever writes records knows it."""


def referenced_digests(database: Database) -> set[str]:
    """Return everything in the records that looks like a digest."""
    found: set[str] = set()
    with database.read() as connection:
        for table in metadata.sorted_tables:
            columns = [c for c in table.columns if isinstance(c.type, sa.Text)]
            if table.name in _WITHOUT_DIGESTS or not columns:
                continue
            query = sa.select(*columns)
            query = query.where(standing_portfolio()) if table.name == portfolios.name else query  # others' objects may go
            rows = connection.execute(query, execution_options={"yield_per": _BATCH_ROWS})
            for row in rows:
                found.update(DIGEST.findall(" ".join(row)))
    return found


def named_objects(database: Database, objects_of: ObjectsOf) -> Iterator[tuple[str, str, str]]:
    """Yield every object that a record counts on: whose it is, under which name, and its digest (hex).

    A record that cannot be read names none: it is the chain that tells of it.
    """
    with database.read() as connection:
        books = connection.execute(portfolios.select().where(standing_portfolio()), execution_options={"yield_per": _BATCH_ROWS})
        for book in books.mappings():
            for name in ("object_digest", "quarantine_digest"):
                yield f"portfolio {book['portfolio_id']}", name, book[name]
        records = sa.select(rankings.c.ranking_id, rankings.c.record).order_by(rankings.c.seq)
        for ranking_id, record in connection.execute(records, execution_options={"yield_per": _BATCH_ROWS}):
            for name, digest in objects_of(_plain(record)):
                yield f"ranking {ranking_id}", name, digest
        told = sa.select(outcome_records.c.seq, outcome_records.c.object_digest).order_by(outcome_records.c.seq)
        for seq, digest in connection.execute(told, execution_options={"yield_per": _BATCH_ROWS}):
            if digest:
                yield f"outcome record {seq}", "object_digest", digest


def missing_objects(database: Database, objects: ObjectStore, objects_of: ObjectsOf) -> list[str]:
    """Return which objects that records name are not in a store, in words; none is read."""
    there: dict[str, bool] = {}
    missing = []
    for owner, name, digest in named_objects(database, objects_of):
        if digest not in there:
            there[digest] = is_digest(digest) and objects.exists(digest)
        if not there[digest]:
            missing.append(f"{owner}: its object {name} is missing")
    return missing


def broken_objects(database: Database, objects: ObjectStore, objects_of: ObjectsOf) -> tuple[list[str], int]:
    """Return which objects that records name are missing or have other bytes, in words, and how many were read.

    Every object is read once, however many records name it.
    """
    judged: dict[str, str] = {}
    broken = []
    for owner, name, digest in named_objects(database, objects_of):
        if digest not in judged:
            require_wanted()
            there = is_digest(digest) and objects.exists(digest)
            judged[digest] = "is missing" if not there else "" if objects.verify(digest) else "has other bytes"
        if judged[digest]:
            broken.append(f"{owner}: its object {name} ({digest}) {judged[digest]}")
    return broken, len(judged)


def _plain(record: str) -> dict[str, Any]:
    try:
        return dict(json.loads(record))
    except (ValueError, TypeError):
        return {}
