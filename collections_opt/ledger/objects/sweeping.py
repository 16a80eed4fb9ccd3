"""Objects that no record names: what a crash between storing an object and recording it leaves behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.schema import metadata

MIN_GRACE = timedelta(hours=1)
"""No ranking takes longer from its first object to its commit; a younger file may belong to one that is being made."""

_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_WITHOUT_DIGESTS = ("ranking_entries",)
_BATCH_ROWS = 1_000


@dataclass(frozen=True)
class Sweep:
    """What a sweep found and did.

    Attributes:
        kept_count: files that a record names or that are too young to judge.
        orphans: names of the files that no record names, oldest first.
        orphan_bytes: their size.
        removed_count: how many of them were removed; 0 for a dry run.
    """

    kept_count: int
    orphans: tuple[str, ...]
    orphan_bytes: int
    removed_count: int


def sweep_objects(database: Database, objects: ObjectStore, grace: timedelta, now: datetime, dry_run: bool) -> Sweep:
    """Remove the objects that no record names and that were last written longer ago than ``grace``.

    Any text in any record that looks like a digest keeps the object of that name.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a grace below ``MIN_GRACE`` or a time without zone.
    """
    if grace < MIN_GRACE:
        raise refuse(Reason.INVALID_ARGUMENT, "grace", f"{grace} is too short.", f"Give at least {MIN_GRACE}.")
    if now.tzinfo is None:
        raise refuse(Reason.INVALID_ARGUMENT, "now", f"{now} has no time zone.", "Pass an aware datetime.")
    before = now - grace
    # Files first: what is recorded after this was stored after it, and is no candidate.
    files = list(objects.files())
    named = referenced_digests(database)
    old = [file for file in files if file.modified_at < before and not named.intersection(_DIGEST.findall(file.name))]
    orphans = sorted(old, key=lambda file: (file.modified_at, file.name))
    removed = 0 if dry_run else sum(objects.remove(file.name, before) for file in orphans)
    names = tuple(file.name for file in orphans)
    return Sweep(len(files) - len(orphans), names, sum(file.size_bytes for file in orphans), removed)


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
                found.update(_DIGEST.findall(" ".join(row)))
    return found
