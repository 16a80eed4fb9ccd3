"""Which objects the records name: what a sweep must keep, what a backup must hold, and what a check must find."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlalchemy as sa

from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.schema import metadata, portfolios, rankings

DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_OBJECT_FIELD = re.compile(r'"(\w+_object)":"([0-9a-f]{64})"')
_WITHOUT_DIGESTS = ("ranking_entries",)
_BATCH_ROWS = 1_000


def referenced_digests(database: Database) -> set[str]:
    """Return everything in the records that looks like a digest."""
    found: set[str] = set()
    with database.read() as connection:
        for table in metadata.sorted_tables:
            columns = [c for c in table.columns if isinstance(c.type, sa.Text)]
            if table.name in _WITHOUT_DIGESTS or not columns:
                continue
            rows = connection.execute(sa.select(*columns), execution_options={"yield_per": _BATCH_ROWS})
            for row in rows:
                found.update(DIGEST.findall(" ".join(row)))
    return found


def named_objects(database: Database) -> Iterator[tuple[str, str, str]]:
    """Yield every object that a record counts on: whose it is, under which name, and its digest (hex)."""
    with database.read() as connection:
        books = connection.execute(portfolios.select(), execution_options={"yield_per": _BATCH_ROWS})
        for book in books.mappings():
            for name in ("object_digest", "quarantine_digest"):
                yield f"portfolio {book['portfolio_id']}", name, book[name]
        records = sa.select(rankings.c.ranking_id, rankings.c.record).order_by(rankings.c.seq)
        for ranking_id, record in connection.execute(records, execution_options={"yield_per": _BATCH_ROWS}):
            for name, digest in _OBJECT_FIELD.findall(record):
                yield f"ranking {ranking_id}", name, digest


def broken_objects(database: Database, objects: ObjectStore) -> tuple[list[str], int]:
    """Return which objects that records name are missing or have other bytes, in words, and how many were read.

    Every object is read once, however many records name it.
    """
    judged: dict[str, str] = {}
    broken = []
    for owner, name, digest in named_objects(database):
        if digest not in judged:
            require_wanted()
            whole = objects.verify(digest)
            judged[digest] = "" if whole else "has other bytes" if objects.exists(digest) else "is missing"
        if judged[digest]:
            broken.append(f"{owner}: its object {name} ({digest}) {judged[digest]}")
    return broken, len(judged)
