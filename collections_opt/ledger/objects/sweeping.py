"""Objects that no record names: what a crash between storing an object and recording it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.objects.folder import ObjectStore, StoredFile
from collections_opt.ledger.objects.named import DIGEST, referenced_digests
from collections_opt.ledger.store.database import Database

MIN_GRACE = timedelta(hours=1)
"""No ranking takes longer from its first object to its commit; a younger file may belong to one that is being made."""


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

    Any text in any record that looks like a digest keeps the object of that name. Whether the store is the ledger's own is for
    the caller to have found out, as ``identity.bind_store``; a store in which every object would go is not swept in any case.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a grace below ``MIN_GRACE`` or a time without zone; LEDGER_HALTED for a ledger that
            takes no writes: what it does not name may be named where it lives on; STORE_MISMATCH where the records name not one
            object of the store.
    """
    if grace < MIN_GRACE:
        raise refuse(Reason.INVALID_ARGUMENT, "grace", f"{grace} is too short.", f"Give at least {MIN_GRACE}.")
    if now.tzinfo is None:
        raise refuse(Reason.INVALID_ARGUMENT, "now", f"{now} has no time zone.", "Pass an aware datetime.")
    if database.halted is not None:
        raise database.halted
    before = now - grace
    # Files first: what is recorded after this was stored after it, and is no candidate.
    files = list(objects.files())
    named = referenced_digests(database)
    refuse_whole_loss(files, named)
    old = [file for file in files if file.modified_at < before and not named.intersection(DIGEST.findall(file.name))]
    orphans = sorted(old, key=lambda file: (file.modified_at, file.name))
    removed = 0 if dry_run else sum(objects.remove(file.name, before) for file in orphans)
    names = tuple(file.name for file in orphans)
    return Sweep(len(files) - len(orphans), names, sum(file.size_bytes for file in orphans), removed)


def refuse_whole_loss(files: Sequence[StoredFile], named: Set[str]) -> None:
    """Refuse a store of which the records name not one object: every one would be removed.

    Raises:
        CollectionsError: STORE_MISMATCH.
    """
    if any(file.is_object for file in files) and not any(file.name in named for file in files):
        remedy = "Name the database and the objects that belong together."
        raise refuse(Reason.STORE_MISMATCH, "objects", "hold nothing that the ledger names: every one would be removed.", remedy)
