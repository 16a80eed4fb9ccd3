"""Faults around the real code: each is tied to the n-th call that reaches the database or the disk."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg

WINDOW_CALLS = 25
"""Calls for which a disk stays full and a database stays locked."""

KINDS = ("none", "crash", "fail", "lost_commit", "kept_commit", "disk_full", "lock", "cancel", "restart", "disconnect")
OF_SERVERS = ("restart", "disconnect")
"""Those that only a database server knows: it is restarted in the middle of a call, or ends the session that makes it."""


class Faults:
    """Counts calls and lets one of them go wrong.

    Args:
        kind: what goes wrong.
        at: at which call.
        database_file: SQLite file, None for a server.
        restart: restarts the database server and returns when it answers again.
        tell: is told that the fault struck, and of every call when ``every_call`` is set.
        counting: whether calls count from the beginning, or only once this is set.
    """

    def __init__(
        self,
        kind: str,
        at: int,
        database_file: Path | None,
        restart: Callable[[], None],
        tell: Callable[[str], None],
        every_call: bool = False,
        counting: bool = True,
    ) -> None:
        self.kind, self.at, self.counting = kind, at, counting
        self.cancelled = threading.Event()
        self._file, self._restart = database_file, restart
        self._tell, self._every_call = tell, every_call
        self._count, self._lock = 0, threading.Lock()
        self._holder: sqlite3.Connection | None = None
        self._done = False
        self._commit, self._calls_left, self._seen, self._thread = 0, 0, 0, 0

    def crash_at(self, commit: int, then: int) -> None:
        """Let the crash come with a commit, since which call it is hangs on who looks how often.

        Args:
            commit: which, from 1; 0 for none.
            then: how many calls of the committing thread later; 0 is before it.
        """
        self._commit, self._calls_left = commit, then

    def install(self, engine) -> None:
        """Put the counter into every statement, commit, sync, rename and touch of this process."""
        dialect = engine.dialect
        error = dialect.loaded_dbapi.OperationalError
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            self._wrap(dialect, name, "sql", error)
        commit = dialect.do_commit

        def do_commit(connection):
            self._hit("commit", error, connection)
            if self._take("kept_commit"):
                commit(connection)
                raise error("disk I/O error")
            if self._take("lost_commit"):
                connection.rollback()
                raise error("disk I/O error")
            commit(connection)
            self._hit("committed", error, connection)

        dialect.do_commit = do_commit
        for owner, name in ((os, "fsync"), (Path, "replace"), (os, "utime")):
            self._wrap(owner, name, "file", lambda text: OSError(errno.EIO, text))

    def _wrap(self, owner, name, where, error):
        call = getattr(owner, name)

        def counted(*arguments, **named):
            self._hit(where, error, getattr(arguments[0], "connection", None) if arguments else None)
            return call(*arguments, **named)

        setattr(owner, name, counted)

    def _take(self, kind: str) -> bool:
        """Return once whether the first commit at or after the chosen call is to go wrong."""
        with self._lock:
            due = self.counting and self.kind == kind and self._count >= self.at and not self._done
            self._done = self._done or due
        if due:
            self._tell("struck")
        return due

    def _hit(self, where: str, error, connection=None) -> None:
        with self._lock:
            self._count += self.counting
            count = self._count
        if self._every_call:
            self._tell("call")
        if self._commit and self._is_due(where):
            self._tell("struck")
            os.kill(os.getpid(), signal.SIGKILL)
        if count == self.at + WINDOW_CALLS:
            self.lift()
        if count != self.at or self.kind in ("none", "lost_commit", "kept_commit"):
            return
        self._tell("struck")
        if self.kind == "fail":
            raise error("disk I/O error")
        self._strike(connection)

    def _is_due(self, where: str) -> bool:
        """Return whether the crash that comes with a commit comes now."""
        with self._lock:
            if self._thread:
                self._calls_left -= threading.get_ident() == self._thread
                return self._calls_left <= 0
            self._seen += where == "commit"
            if where != "commit" or self._seen < self._commit:
                return False
            self._thread = threading.get_ident()
            return self._calls_left == 0

    def _strike(self, connection) -> None:
        if self.kind == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.kind == "disk_full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, resource.RLIM_INFINITY))
        elif self.kind == "lock" and self._file is not None:
            self._hold()
        elif self.kind == "cancel":
            self.cancelled.set()
        elif self.kind == "restart":
            self._restart()
        elif self.kind == "disconnect" and connection is not None:
            self._disconnect(connection)

    def _disconnect(self, connection) -> None:
        """End the session that is about to be used, at the server, as a network that breaks would."""
        session = getattr(connection, "driver_connection", connection)
        with psycopg.connect(session.info.dsn, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", (session.info.backend_pid,))

    def _hold(self) -> None:
        holder = sqlite3.connect(self._file, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            holder.execute("BEGIN IMMEDIATE")
            self._holder = holder
        except sqlite3.OperationalError:
            holder.close()  # the ledger itself is writing

    def lift(self) -> None:
        """End what lasts."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        if self._holder is not None:
            self._holder.execute("ROLLBACK")
            self._holder.close()
            self._holder = None
