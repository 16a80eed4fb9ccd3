"""Whether a worker still runs: it holds a lock that its death releases, so that neither clocks nor heartbeats decide.

PostgreSQL: an advisory lock of a session that the worker keeps open. SQLite: a locked file beside the database. A worker
whose lock is lost while it lives (its PostgreSQL restarted) may have its ranking made twice at the same time, and recorded once.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.refusals import unreachable, unwritable

_HELD = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::bigint << 32) | objid::bigint = :key
"""


class Workers:
    """The living workers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._files: dict[str, int] = {}
        self._sessions: dict[str, sa.Connection] = {}
        self._joining = threading.Lock()

    def join(self, worker: str) -> None:
        """Make a worker count as alive until ``leave`` or the end of the process; joining again renews a lost lock.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE when the database cannot be reached.
        """
        with self._joining:
            if self._database.file is None:
                self._hold_session(worker)
            elif worker not in self._files:
                try:
                    self._files[worker] = _lock_file(_path(self._database.file, worker))
                except OSError as error:
                    raise unwritable("database", error) from error

    def is_alive(self, worker: str) -> bool:
        """Return whether a worker that joined still runs, in this process or any other."""
        if self._database.file is not None:
            return _is_locked(_path(self._database.file, worker))
        with self._database.read() as connection:
            return bool(connection.execute(sa.text(_HELD), {"key": _key(worker)}).scalar())

    def leave(self) -> None:
        """Let all workers that joined here count as ended."""
        with self._joining:
            for worker, handle in self._files.items():
                if self._database.file is not None:
                    _path(self._database.file, worker).unlink(missing_ok=True)
                os.close(handle)
            for session in self._sessions.values():
                _end(session)
            self._files.clear()
            self._sessions.clear()

    def _hold_session(self, worker: str) -> None:
        session = self._sessions.get(worker)
        if session is not None:
            if _answers(session):
                return
            _end(self._sessions.pop(worker))
        session = self._database.session()
        try:
            held = session.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": _key(worker)}).scalar()
        except SQLAlchemyError as error:
            _end(session)
            raise unreachable(error) from error
        if held:
            self._sessions[worker] = session
        else:  # held by this worker's earlier session, which the server has not yet noticed to be gone: the next call renews it
            _end(session)


def _key(worker: str) -> int:
    return int.from_bytes(hashlib.sha256(worker.encode()).digest()[:8], "big") >> 1


def _end(session: sa.Connection) -> None:
    with suppress(SQLAlchemyError):  # at once, because the server takes a moment to notice that a session is gone
        session.execute(sa.text("SELECT pg_advisory_unlock_all()"))
    session.invalidate()  # a pooled session must not bring back a lock
    session.close()


def _answers(session: sa.Connection) -> bool:
    try:
        session.execute(sa.text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _path(database: Path, worker: str) -> Path:
    name = hashlib.sha256(worker.encode()).hexdigest()[:32]
    return database.with_name(f"{database.name}-workers") / name


def _lock_file(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Whoever found the file unlocked before may have removed it: a lock on a nameless file tells nobody anything.
        if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
        os.close(handle)


def _is_locked(path: Path) -> bool:
    """Return whether another holds the file; the file of one that ended is removed."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        with suppress(OSError):  # of a disk that is read-only now
            path.unlink(missing_ok=True)
        return False
    finally:
        os.close(handle)
