"""What every object store keeps: a folder, a pyarrow file system on disk, one in memory, and an S3 endpoint."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pyarrow import fs

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import TEMPORARY, FolderObjectStore
from collections_opt.ledger.objects.remote import FilesystemObjectStore, open_objects
from collections_opt.ledger.objects.sweeping import MIN_GRACE
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, PORTFOLIO, add_ranking
from tests.support.ledger.s3_server import s3_server

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
ABSENT = hashlib.sha256(b"absent").hexdigest()


@pytest.fixture(params=["folder", "file_url", "pyarrow_on_disk", "memory", "s3"])
def store(request, tmp_path):
    if request.param == "folder":
        yield open_objects(str(tmp_path / "objects"))
    elif request.param == "file_url":
        yield open_objects((tmp_path / "with space").as_uri())
    elif request.param == "pyarrow_on_disk":
        yield FilesystemObjectStore(fs.LocalFileSystem(), str(tmp_path / "objects"))
    elif request.param == "memory":
        yield open_objects("mock:///ledger")
    else:
        with s3_server() as server:
            yield open_objects(server.url)


def names(store):
    return sorted(file.name for file in store.files())


def test_objects_are_named_by_content_and_stored_once(store):
    contents = [b"", b"content", bytes(range(256)) * 40_000]
    digests = [store.put(content) for content in contents]
    assert [store.put(content) for content in contents] == digests == [hashlib.sha256(c).hexdigest() for c in contents]
    assert [store.put_written(lambda file, held=content: file.write(held)) for content in contents] == digests
    written = store.put_written(lambda file: file.writelines([b"part", b"s"]))
    assert store.get(written) == b"parts"
    assert store.remove(written, LATER)
    assert [store.get(digest) for digest in digests] == contents
    for check in (True, False):
        for digest, content in zip(digests, contents, strict=True):
            with store.open(digest, check) as file:
                assert file.read() == content
    assert names(store) == sorted(digests)
    assert {file.name: file.size_bytes for file in store.files()} == dict(zip(digests, map(len, contents), strict=True))
    assert all(file.is_object for file in store.files())
    assert all(store.exists(digest) and store.verify(digest) for digest in digests)


def test_what_is_not_there_is_refused(store):
    assert (store.exists(ABSENT), store.verify(ABSENT), store.remove(ABSENT, LATER)) == (False, False, False)
    for name in (ABSENT, "../../etc/passwd"):
        with pytest.raises(CollectionsError) as caught:
            store.get(name)
        assert caught.value.reason is Reason.INTEGRITY_FAILURE
        with pytest.raises(CollectionsError) as caught:
            store.open(name)
        assert caught.value.reason is Reason.INTEGRITY_FAILURE
    assert names(store) == []


def test_files_are_removed_unless_written_since(store):
    digest = store.put(b"content")
    assert not store.remove(digest, LONG_AGO)
    assert store.get(digest) == b"content"
    assert store.remove(digest, LATER)
    assert not store.exists(digest)
    assert names(store) == []
    assert store.put(b"content") == digest
    assert store.get(digest) == b"content"


def test_storing_again_counts_as_just_written(store):
    started = datetime.now(UTC) - timedelta(seconds=2)
    digest = store.put(b"content")
    assert store.put(b"content") == digest
    assert next(store.files()).modified_at >= started
    assert not store.remove(digest, started)


def test_a_sweep_removes_old_orphans_and_nothing_that_a_record_names(store, tmp_path):
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", store)
    kept = {name: store.put(name.encode()) for name in ("accounts", "quarantine", "entries")}
    ledger.portfolios.add(
        type(PORTFOLIO)(**{**PORTFOLIO.__dict__, "object_digest": kept["accounts"], "quarantine_digest": kept["quarantine"]})
    )
    add_ranking(ledger, "g1", "r1", "x", "p1", {"entries_object": kept["entries"]}, entries_of([0]), NOW)
    orphan = store.put(b"orphan")
    young = ledger.sweep_objects(MIN_GRACE, datetime.now(UTC), dry_run=False)
    assert (young.kept_count, young.orphans, young.removed_count) == (4, (), 0)
    dry = ledger.sweep_objects(MIN_GRACE, LATER, dry_run=True)
    assert (dry.orphans, dry.orphan_bytes, dry.removed_count) == ((orphan,), 6, 0)
    assert store.exists(orphan)
    swept = ledger.sweep_objects(MIN_GRACE, LATER, dry_run=False)
    assert (swept.kept_count, swept.orphans, swept.removed_count) == (3, (orphan,), 1)
    assert names(store) == sorted(kept.values())
    with pytest.raises(CollectionsError) as caught:
        ledger.sweep_objects(timedelta(minutes=1), LATER, dry_run=True)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    ledger.close()


def test_the_rest_of_a_write_that_never_ended_is_swept_too(tmp_path):
    store = FolderObjectStore(tmp_path / "objects")
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", store)
    kept = {name: store.put(name.encode()) for name in ("object_digest", "quarantine_digest")}
    ledger.portfolios.add(replace(PORTFOLIO, **kept))
    rest = next((tmp_path / "objects").glob("??")) / f"{TEMPORARY}abc"
    rest.write_bytes(b"half")
    swept = ledger.sweep_objects(MIN_GRACE, LATER, dry_run=False)
    assert swept.orphans == (rest.name,)
    assert sorted(file.name for file in store.files()) == sorted(kept.values())
    ledger.close()


@pytest.mark.parametrize("url", ["nothing://here", "s3://", "s3://key:secret@bucket/p?nonsense=1"])
def test_urls_that_no_file_system_answers_to_are_refused_without_their_secret(url):
    with pytest.raises(CollectionsError) as caught:
        open_objects(url)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert "secret" not in str(caught.value)


def test_a_store_that_takes_nothing_is_said_to_be_unavailable():
    with s3_server() as server:
        store = open_objects(server.url)
        server.refusing = True
        with pytest.raises(CollectionsError) as caught:
            store.put(b"content")
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
