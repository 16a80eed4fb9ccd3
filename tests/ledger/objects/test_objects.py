"""Objects keep their bytes, and a damaged one is never handed out."""

import os
import stat
from pathlib import Path

import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.objects.folder import FolderObjectStore


def test_objects_are_named_by_content_and_read_back(tmp_path):
    store = FolderObjectStore(tmp_path)
    digest = store.put(b"content")
    assert store.put(b"content") == digest
    assert store.get(digest) == b"content"
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b"other"), lambda p: p.unlink()])
def test_damaged_or_missing_objects_are_refused(tmp_path, damage):
    store = FolderObjectStore(tmp_path)
    digest = store.put(b"content")
    damage(next(p for p in tmp_path.rglob("*") if p.is_file()))
    with pytest.raises(CollectionsError) as caught:
        store.get(digest)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE
    with pytest.raises(CollectionsError) as caught:
        store.open(digest)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE


def test_only_digests_name_objects(tmp_path):
    with pytest.raises(CollectionsError):
        FolderObjectStore(tmp_path).get("../../etc/passwd")


def test_objects_say_whether_they_are_there_and_whole(tmp_path):
    store = FolderObjectStore(tmp_path)
    digest = store.put(b"content")
    assert (store.exists(digest), store.verify(digest)) == (True, True)
    damaged(tmp_path).write_bytes(b"other")
    assert (store.exists(digest), store.verify(digest)) == (True, False)
    damaged(tmp_path).unlink()
    assert (store.exists(digest), store.verify(digest)) == (False, False)


def test_storing_again_heals_a_damaged_object(tmp_path):
    store = FolderObjectStore(tmp_path)
    digest = store.put(b"content")
    damaged(tmp_path).write_bytes(b"other")
    assert store.put(b"content") == digest
    assert store.get(digest) == b"content"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_no_object_and_no_rest(tmp_path, monkeypatch, failing):
    store = FolderObjectStore(tmp_path)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, fail)
    with pytest.raises(CollectionsError, match="disk full") as caught:
        store.put(b"content")
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_store_that_does_not_check_what_it_reads_is_noticed(tmp_path, monkeypatch):
    """The planted store hands out damaged bytes; the same check passes on the real one."""
    monkeypatch.setattr(FolderObjectStore, "get", lambda store, digest: store._path(digest).read_bytes())
    assert not refuses_damage(tmp_path / "planted")
    monkeypatch.undo()
    assert refuses_damage(tmp_path / "real")


def refuses_damage(folder):
    store = FolderObjectStore(folder)
    digest = store.put(b"content")
    damaged(folder).write_bytes(b"other")
    try:
        store.get(digest)
    except CollectionsError as error:
        return error.reason is Reason.INTEGRITY_FAILURE
    return False


def test_content_is_synced_before_it_gets_its_name_and_the_folder_after(tmp_path, monkeypatch):
    steps, fsync, replace = [], os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append(kind(handle)), fsync(handle)))
    monkeypatch.setattr(Path, "replace", lambda source, target: (steps.append("rename"), replace(source, target)))
    FolderObjectStore(tmp_path).put(b"content")
    assert steps == ["file", "rename", "folder", "folder"]


def kind(handle):
    return "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"


def damaged(folder):
    return next(p for p in folder.rglob("*") if p.is_file())
