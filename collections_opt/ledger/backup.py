"""Backups of a ledger while it is written to, and ledgers made from them again: both verified after they are made.

A backup folder holds any number of backups of one ledger:

    databases/TIME.db     the database at one moment, as SQLite whatever it was
    objects/ab/abcdef...  the objects that any of them names, each once
    manifests/TIME.json   what belongs to the backup of that time

Keys are no part of it: whoever finds a backup reads no account.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.identity import identity
from collections_opt.ledger.ledger import Ledger, open_ledger
from collections_opt.ledger.moving import Report, copy_everything, findings
from collections_opt.ledger.objects.folder import FolderObjectStore, ObjectStore
from collections_opt.ledger.objects.named import ObjectsOf, broken_objects, referenced_digests
from collections_opt.ledger.store.database import Database, open_database
from collections_opt.ledger.store.schema import metadata

FORMAT = "collections-opt-backup-1"
_DATABASES, _OBJECTS, _MANIFESTS = "databases", "objects", "manifests"
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Backup:
    """What a backup is.

    Attributes:
        name: the moment of the snapshot, as files are named.
        ledger_id: whose it is.
        store_id: of its object store.
        database_digest: SHA-256 (hex) of the database's file.
        log_size: entries of the log.
        log_root: root over them (hex).
        ranking_count: rankings in it.
        object_count: objects that its records name.
        format: of the manifest.
    """

    name: str
    ledger_id: str
    store_id: str
    database_digest: str
    log_size: int
    log_root: str
    ranking_count: int
    object_count: int
    format: str = FORMAT


@dataclass(frozen=True)
class BackupFolder:
    """A folder of backups."""

    folder: Path

    @property
    def objects(self) -> FolderObjectStore:
        """The objects of all backups."""
        return FolderObjectStore(self.folder / _OBJECTS)

    def database(self, name: str) -> Path:
        """Return the database's file of a backup."""
        return self.folder / _DATABASES / f"{name}.db"

    def names(self) -> list[str]:
        """Return the backups, the oldest first."""
        return sorted(path.stem for path in (self.folder / _MANIFESTS).glob("*.json"))

    def backup(self, name: str = "") -> Backup:
        """Return what a backup is, the newest where none is named.

        Raises:
            CollectionsError: NOT_FOUND; INTEGRITY_FAILURE for a manifest that cannot be read.
        """
        known = self.names()
        if not known or (name and name not in known):
            what = f"has no backup {name!r}" if known else "holds no backups"
            raise refuse(Reason.NOT_FOUND, "from", f"{self.folder} {what}.", "Name a folder that backup wrote.")
        try:
            held = json.loads((self.folder / _MANIFESTS / f"{name or known[-1]}.json").read_text("utf-8"))
            return Backup(**held)
        except (ValueError, TypeError, OSError) as error:
            raise refuse(
                Reason.INTEGRITY_FAILURE, "from", f"the manifest {name or known[-1]} cannot be read.", "Use another."
            ) from error


def make_backup(ledger: Ledger, target: BackupFolder, objects_of: ObjectsOf, now: datetime, report: Report) -> Backup:
    """Copy a ledger as it is at one moment, then the objects that it names; writers go on meanwhile.

    The database comes first: every object that it names was stored before its record was. Objects of earlier backups are not
    copied again.

    Raises:
        CollectionsError: STORE_MISMATCH for a folder with another ledger's backups; INTEGRITY_FAILURE when the copy does not
            verify, of which nothing counts as a backup then; STORAGE_UNAVAILABLE.
    """
    known = identity(ledger.database)
    if known is None:
        raise refuse(Reason.STORE_MISMATCH, "data", "the ledger has no name yet.", "Open it once with this version.")
    objects, name = target.objects, f"{now.astimezone(UTC):%Y%m%dT%H%M%S}Z"
    if objects.marker() not in (None, known.marker):
        raise refuse(Reason.STORE_MISMATCH, "to", f"{target.folder} holds backups of another ledger.", "Name another folder.")
    objects.mark(known.marker)
    path = target.database(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    report("copying the database", 0.0)
    _snapshot(ledger.database, beside)
    copy = open_ledger(f"sqlite:///{beside}", objects)
    try:
        report("copying objects", 0.2)
        _copy_objects(copy.database, ledger.objects, objects)
        report("verifying the copy", 0.6)
        object_count = require_whole(copy, objects_of, report, 0.6)
        tree, ranking_count = copy.log.tree(), copy.chain.head().seq
    finally:
        copy.close()
    _sync(beside)
    beside.replace(path)
    backup = Backup(
        name, known.ledger_id, known.store_id, file_digest(path), tree.size, tree.root.hex(), ranking_count, object_count
    )
    manifest = target.folder / _MANIFESTS / f"{name}.json"
    manifest.parent.mkdir(exist_ok=True)
    manifest.write_text(json.dumps(asdict(backup), indent=1) + "\n", encoding="utf-8")
    _sync(manifest)
    return backup


def restore_backup(
    source: BackupFolder, name: str, url: str, objects: ObjectStore, objects_of: ObjectsOf, report: Report
) -> Backup:
    """Make a ledger of a backup in an empty database and an object store that is empty or the ledger's own.

    Raises:
        CollectionsError: NOT_FOUND for a backup that is not there; ALREADY_EXISTS for a database that holds anything;
            STORE_MISMATCH for another ledger's store; INTEGRITY_FAILURE when the backup or what was made of it does not verify.
    """
    backup = source.backup(name)
    path = source.database(backup.name)
    if not path.is_file() or file_digest(path) != backup.database_digest:
        raise refuse(Reason.INTEGRITY_FAILURE, "from", f"{path.name} is missing or has other bytes.", "Restore another backup.")
    _refuse_strange_store(objects, backup)
    report("restoring the database", 0.0)
    _restore_database(path, url, report)
    restored = open_ledger(url, objects)
    try:
        report("restoring objects", 0.3)
        _copy_objects(restored.database, source.objects, objects)
        known = identity(restored.database)
        if known is not None:
            objects.mark(known.marker)
        report("verifying what was restored", 0.6)
        require_whole(restored, objects_of, report, 0.6)
        tree = restored.log.tree()
    finally:
        restored.close()
    if (tree.size, tree.root.hex()) != (backup.log_size, backup.log_root):
        raise refuse(
            Reason.INTEGRITY_FAILURE, "from", "the restored log is not the one of the backup.", "Restore another backup."
        )
    return backup


def require_whole(ledger: Ledger, objects_of: ObjectsOf, report: Report, start: float) -> int:
    """Refuse a ledger that does not verify, or whose objects are not all there whole; return how many objects it names.

    Raises:
        CollectionsError: INTEGRITY_FAILURE.
    """
    broken = findings(ledger, report, start)
    lost, count = ([], 0) if broken else broken_objects(ledger.database, ledger.objects, objects_of)
    broken += lost
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise refuse(
            Reason.INTEGRITY_FAILURE, "ledger", f"the copy does not verify: {broken[0]}{more}.", "Verify the ledger itself."
        )
    return count


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _snapshot(database: Database, path: Path) -> None:
    """Write the database as it is at one moment into a new SQLite file."""
    path.unlink(missing_ok=True)
    if database.file is not None:
        try:
            with closing(sqlite3.connect(database.file)) as source, closing(sqlite3.connect(path)) as copy:
                source.backup(copy)  # in one step: a backup in several begins anew whenever somebody writes
        except sqlite3.Error as error:
            raise refuse(Reason.STORAGE_UNAVAILABLE, "database", f"cannot be copied: {error}.", "Check both disks.") from error
        return
    copied = open_database(f"sqlite:///{path}")
    try:
        with database.snapshot() as old, copied.write() as new:
            copy_everything(old, new, lambda _stage, _fraction: None)
    finally:
        copied.close()


def _restore_database(path: Path, url: str, report: Report) -> None:
    target = sa.engine.make_url(url)
    if target.get_backend_name() == "sqlite":
        file = Path(str(target.database))
        if file.exists():
            raise refuse(Reason.ALREADY_EXISTS, "data", f"{file} exists.", "Restore into an empty folder.")
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".restoring")
        with path.open("rb") as source, beside.open("wb") as copy:
            while block := source.read(_BLOCK_BYTES):
                copy.write(block)
            copy.flush()
            os.fsync(copy.fileno())
        beside.replace(file)
        return
    kept, made = open_database(f"sqlite:///{path}"), open_database(url)
    try:
        with kept.read() as old, made.write() as new:
            for table in metadata.sorted_tables:
                if new.execute(sa.select(sa.func.count()).select_from(table)).scalar():
                    raise refuse(
                        Reason.ALREADY_EXISTS, "database_url", f"its table {table.name} holds rows.", "Name an empty database."
                    )
            copy_everything(old, new, report)
    finally:
        kept.close()
        made.close()


def _copy_objects(named_by: Database, source: ObjectStore, target: ObjectStore) -> None:
    """Copy what the records name and the target lacks; what the source lacks too is found by verifying."""
    named = referenced_digests(named_by)
    for digest in sorted(file.name for file in source.files() if file.name in named):
        if not target.exists(digest):
            try:
                target.put(source.get(digest))
            except CollectionsError as error:
                if error.reason is not Reason.INTEGRITY_FAILURE:
                    raise


def _refuse_strange_store(objects: ObjectStore, backup: Backup) -> None:
    marker = objects.marker()
    if marker is None:
        if any(file.is_object for file in objects.files()):
            raise refuse(Reason.STORE_MISMATCH, "objects", "hold objects and say not whose.", "Name an empty store.")
    elif json.loads(marker) != {"ledger_id": backup.ledger_id, "store_id": backup.store_id}:
        raise refuse(Reason.STORE_MISMATCH, "objects", "are another ledger's.", "Name an empty store, or the ledger's own.")


def _sync(path: Path) -> None:
    for each in (path, path.parent):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
