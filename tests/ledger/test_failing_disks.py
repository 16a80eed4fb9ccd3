"""Disks that fail for a while: refused truthfully, and written to again once they take something."""

import errno
import io

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, InternalError

from collections_opt.application.records.opening import Whereabouts, open_records
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.files.uploads import uploaded
from collections_opt.ledger.log.places import FolderPlace
from collections_opt.ledger.store import database as store
from collections_opt.ledger.store import sqlite
from collections_opt.ledger.store.database import open_database
from collections_opt.ledger.store.refusals import failed_storage, unwritable
from collections_opt.ledger.store.schema import outbox
from collections_opt.wire.byte_budget import Spool
from tests.support.ledger.ledgers import NOW


@pytest.fixture
def opened(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield database
    database.close()


def opened_while_read_only(database, monkeypatch, count=3):
    """Let the pool keep connections that were opened while nothing could be written."""
    database.close()
    with monkeypatch.context() as disk:
        disk.setattr(sqlite, "_is_writable", lambda _: False)
        kept = [database.session() for _ in range(count)]
        for connection in kept:
            connection.exec_driver_sql("PRAGMA query_only=ON")  # as SQLite has it for a file that it could only read
        for connection in kept:
            connection.close()


def write(database):
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS something (x)"))


def test_connections_of_a_read_only_time_are_opened_anew_once_there_is_something_to_write_to(opened, monkeypatch):
    opened_while_read_only(opened, monkeypatch)
    for _ in range(4):
        write(opened)


def test_connections_that_are_kept_from_a_read_only_time_are_noticed(opened, monkeypatch):
    """The planted bug."""
    opened_while_read_only(opened, monkeypatch)
    monkeypatch.setattr(store, "reopened_if_writable", lambda _: None)
    with pytest.raises(CollectionsError) as caught:
        write(opened)
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE


def test_a_spoiled_file_is_the_storage_s_fault_and_no_unexpected_error(opened):
    file = opened.file
    opened.close()
    content = bytearray(file.read_bytes())
    content[100:] = b"\x55" * (len(content) - 100)
    file.write_bytes(content)
    with pytest.raises(CollectionsError) as caught, opened.read() as connection:
        connection.execute(outbox.select()).all()
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE


def test_a_database_that_takes_no_writes_for_now_is_the_storage_s_fault_and_a_wrong_statement_is_ours():
    class ReadOnlyError(Exception):
        sqlstate = "25006"

    assert failed_storage(InternalError("INSERT", {}, ReadOnlyError("cannot execute INSERT in a read-only transaction")))
    assert not failed_storage(DatabaseError("INSERT", {}, Exception("no such column")))


def test_refusals_name_no_path_of_the_server():
    assert "/secret" not in unwritable("object", OSError(errno.EROFS, "Read-only file system", "/secret/objects/00")).message


def test_what_is_recorded_is_acknowledged_where_its_checkpoint_cannot_be_written(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    records = open_records(Whereabouts(tmp_path), lambda: NOW)
    records.ledger.erasure.record_hold("h", {"placed": True, "key_numbers": [], "reason": "", "actor": {}, "at": ""})
    before = list(records.standing.checkpoints.published())
    with monkeypatch.context() as disk:
        disk.setattr(FolderPlace, "write", full)
        records.recorder.publish()
    assert list(records.standing.checkpoints.published()) == before
    records.recorder.publish()
    assert len(list(records.standing.checkpoints.published())) == len(before) + 1
    records.ledger.close()


def test_a_full_disk_keeps_no_half_written_checkpoint(monkeypatch, tmp_path):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        FolderPlace(tmp_path).write("0000000001.txt", "note")
    assert list(tmp_path.iterdir()) == []


def test_a_full_folder_of_temporary_files_is_the_storage_s_fault(monkeypatch):
    class Full(io.BytesIO):
        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    def no_folder(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system", "/secret")

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    monkeypatch.setattr("tempfile.TemporaryDirectory", no_folder)
    with Spool() as spool, pytest.raises(CollectionsError) as caught:
        spool.put(np.arange(3))
    with pytest.raises(CollectionsError) as sent, uploaded("book.csv", [b"a"]):
        pass
    assert (caught.value.reason, sent.value.reason) == (Reason.STORAGE_UNAVAILABLE,) * 2
    assert "/secret" not in sent.value.message
