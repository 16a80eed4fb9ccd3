"""A backup is one moment of a ledger that goes on being written, and a ledger again that verifies."""

import shutil
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from collections_opt.application.records.ranking_facts import objects_of
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger import backup as module
from collections_opt.ledger.backup import BackupFolder, make_backup, restore_backup
from collections_opt.ledger.identity import bind_store
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, PORTFOLIO, add, add_ranking

QUIET = lambda _stage, _fraction: None  # noqa: E731


@pytest.fixture
def ledger(database_url, tmp_path):
    store = FolderObjectStore(tmp_path / "objects")
    opened = open_ledger(database_url, store)
    bind_store(opened.database, store, lambda size: b"\1" * size, NOW)
    stored = {name: store.put(name.encode()) for name in ("object_digest", "quarantine_digest")}
    opened.portfolios.add(replace(PORTFOLIO, **stored))
    entries = entries_of([0, 0, -1, 1])
    record = {"entries_object": store.put(columns_to_parquet(ColumnTable(entries.columns())))}
    add_ranking(opened, "g0", "r0", "x", "p1", record, entries, NOW)
    yield opened
    opened.close()


def restored(folder, name, data):
    made = restore_backup(folder, name, f"sqlite:///{data / 'ledger.db'}", FolderObjectStore(data / "objects"), objects_of, QUIET)
    return made, open_ledger(f"sqlite:///{data / 'ledger.db'}", FolderObjectStore(data / "objects"))


def test_backups_share_their_objects_and_each_is_restored_as_it_was(ledger, tmp_path):
    folder = BackupFolder(tmp_path / "backups")
    first = make_backup(ledger, folder, objects_of, NOW, QUIET)
    add(ledger, "r1")
    second = make_backup(ledger, folder, objects_of, NOW + timedelta(hours=1), QUIET)
    assert (first.ranking_count, second.ranking_count, second.object_count) == (1, 2, 3)
    assert folder.names() == [first.name, second.name]
    for made in (first, second):
        again, opened = restored(folder, made.name, tmp_path / made.name)
        assert again == made
        assert opened.log.tree().root.hex() == made.log_root
        assert opened.worklists.page("g0", 0, 0, 9) == ledger.worklists.page("g0", 0, 0, 9)
        bind_store(opened.database, opened.objects, bytes, NOW)
        opened.close()


def test_a_backup_goes_back_to_the_kind_of_database_it_came_from(ledger, tmp_path, postgres_url):
    folder = BackupFolder(tmp_path / "backups")
    made = make_backup(ledger, folder, objects_of, NOW, QUIET)
    restore_backup(folder, "", postgres_url, FolderObjectStore(tmp_path / "again"), objects_of, QUIET)
    opened = open_ledger(postgres_url, FolderObjectStore(tmp_path / "again"))
    assert opened.log.tree().root.hex() == made.log_root
    opened.close()
    with pytest.raises(CollectionsError) as caught:
        restore_backup(folder, "", postgres_url, FolderObjectStore(tmp_path / "again"), objects_of, QUIET)
    assert caught.value.reason is Reason.ALREADY_EXISTS


def test_writers_go_on_and_the_backup_is_one_moment(ledger, tmp_path):
    """Rankings are recorded all the while; whatever moment the backup has, it verifies."""
    made, ended = [], threading.Event()

    def record():
        number = 0
        while not ended.is_set():
            number += 1
            made.append(add(ledger, f"w{number}").seq)

    writer = threading.Thread(target=record)
    writer.start()
    folder = BackupFolder(tmp_path / "backups")
    try:
        backups = [make_backup(ledger, folder, objects_of, NOW + timedelta(minutes=minute), QUIET) for minute in range(3)]
    finally:
        ended.set()
        writer.join()
    counts = [backup.ranking_count for backup in backups]
    assert counts == sorted(counts)
    assert made[-1] >= counts[-1]
    for backup in backups:
        _, opened = restored(folder, backup.name, tmp_path / backup.name)
        assert opened.chain.verify() == opened.log.verify() == []
        opened.close()


@pytest.mark.parametrize("lost", ["object", "damaged object", "database", "manifest"])
def test_a_backup_that_lost_something_is_not_restored(ledger, tmp_path, lost):
    folder = BackupFolder(tmp_path / "backups")
    made = make_backup(ledger, folder, objects_of, NOW, QUIET)
    path = next((folder.folder / "objects").glob("??/*"))
    if lost == "object":
        path.unlink()
    elif lost == "damaged object":
        path.write_bytes(b"other")
    elif lost == "database":
        folder.database(made.name).write_bytes(b"other")
    else:
        (folder.folder / "manifests" / f"{made.name}.json").write_text("{}")
    with pytest.raises(CollectionsError) as caught:
        restored(folder, "", tmp_path / "again")
    assert caught.value.reason is Reason.INTEGRITY_FAILURE


def test_a_ledger_that_lost_an_object_gives_no_backup(ledger, tmp_path):
    next((tmp_path / "objects").glob("??/*")).unlink()
    folder = BackupFolder(tmp_path / "backups")
    with pytest.raises(CollectionsError, match="is missing"):
        make_backup(ledger, folder, objects_of, NOW, QUIET)
    assert folder.names() == []


def test_a_backup_that_is_not_verified_is_noticed(ledger, tmp_path, monkeypatch):
    """The planted bug: nobody looks whether the copy is whole; restoring it tells."""
    next((tmp_path / "objects").glob("??/*")).unlink()
    folder = BackupFolder(tmp_path / "backups")
    with monkeypatch.context() as patched:
        patched.setattr(module, "require_whole", lambda *_: 0)
        make_backup(ledger, folder, objects_of, NOW, QUIET)
    with pytest.raises(CollectionsError, match="is missing"):
        restored(folder, "", tmp_path / "again")


def test_backups_of_two_ledgers_never_share_a_folder(ledger, tmp_path):
    folder = BackupFolder(tmp_path / "backups")
    make_backup(ledger, folder, objects_of, NOW, QUIET)
    store = FolderObjectStore(tmp_path / "other" / "objects")
    other = open_ledger(f"sqlite:///{tmp_path / 'other' / 'ledger.db'}", store)
    bind_store(other.database, store, lambda size: b"\2" * size, NOW)
    with pytest.raises(CollectionsError, match="another ledger"):
        make_backup(other, folder, objects_of, NOW, QUIET)
    other.close()
    with pytest.raises(CollectionsError, match="another ledger's"):
        restore_backup(folder, "", f"sqlite:///{tmp_path / 'x.db'}", store, objects_of, QUIET)


def test_nothing_is_restored_over_a_ledger(ledger, tmp_path):
    folder = BackupFolder(tmp_path / "backups")
    make_backup(ledger, folder, objects_of, NOW, QUIET)
    restored(folder, "", tmp_path / "again")[1].close()
    with pytest.raises(CollectionsError) as caught:
        restored(folder, "", tmp_path / "again")
    assert caught.value.reason is Reason.ALREADY_EXISTS
    shutil.rmtree(tmp_path / "again")
