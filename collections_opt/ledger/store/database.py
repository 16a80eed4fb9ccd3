"""A database opened, hardened and brought up to date; reads beside each other, writes one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.ledger.store.refusals import failed_storage, unreachable, unreadable, unwritable
from collections_opt.ledger.store.scoping import enforce_scopes
from collections_opt.ledger.store.sqlite import reopened_if_writable, use_sqlite

_LOCK = 7_310_642_118
_MIGRATING = threading.Lock()
"""Alembic keeps the migration being run in module globals."""
Record = TypeVar("Record")
Opened = TypeVar("Opened")


class Database:
    """One database; every write is one transaction, acknowledged after its commit."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(ledger_write=True)
        self._halted: CollectionsError | None = None

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @property
    def file(self) -> Path | None:
        """File of a SQLite database, None for a server."""
        return Path(str(self._engine.url.database)) if self.dialect == "sqlite" else None

    @property
    def halted(self) -> CollectionsError | None:
        """Why nothing may be written; None where it may."""
        return self._halted

    def halt(self, refusal: CollectionsError | None) -> None:
        """Refuse every write of this process from now on, or none any more; reads go on."""
        self._halted = refusal

    @property
    def title(self) -> str:
        """What people call it: file, or server and database; never a user or a password."""
        url = self._engine.url
        return str(url.database) if self.dialect == "sqlite" else f"{self.dialect} {url.host or 'local'}/{url.database}"

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def session(self) -> sa.Connection:
        """Return a connection outside any transaction, to be kept open and closed by the caller.

        Raises:
            CollectionsError: OVERLOADED as ``read``.
        """
        return _reached(self._engine.execution_options(isolation_level="AUTOCOMMIT").connect)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection for reading.

        Raises:
            CollectionsError: OVERLOADED when the database cannot be reached or all connections stay busy; STORAGE_UNAVAILABLE
                when the disk or the server fails while it is read.
        """
        connection = _reached(self._engine.connect)
        try:
            with connection:  # leaving it rolls back, which asks the server once more
                yield connection
        except DBAPIError as error:
            if not failed_storage(error):
                raise
            raise unreadable(error) from error

    def first_row(self, statement: str) -> tuple[Any, ...] | None:
        """Return the first row that a statement finds, None for none; it reads nothing of accounts, and has no parameters.

        Asked of the driver itself: what SQLAlchemy adds to a statement costs several times what a short one does. A failure is
        left to ``read``, which knows what it means.

        Raises:
            CollectionsError: as ``read``.
        """
        lent = _reached(self._engine.raw_connection)
        try:
            cursor = lent.cursor()
            cursor.execute(statement)
            row = cursor.fetchone()
            cursor.close()
        except Exception:  # noqa: BLE001 - whatever the driver calls it, it is asked once more and worded there
            with self.read() as connection:
                row = connection.exec_driver_sql(statement).first()
        finally:
            lent.close()  # to the pool, which ends the transaction if the driver began one
        return None if row is None else tuple(row)

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees the database as it is at one moment, however long it is read; for PostgreSQL.

        Raises:
            CollectionsError: as ``read``.
        """
        connection = _reached(self._engine.execution_options(isolation_level="REPEATABLE READ").connect)
        try:
            with connection:
                yield connection
        except DBAPIError as error:
            if not failed_storage(error):
                raise
            raise unreadable(error) from error

    @contextmanager
    def write(self, despite_halt: bool = False) -> Iterator[sa.Connection]:
        """Yield a transaction that no other writer overlaps; an exception rolls it back.

        Args:
            despite_halt: for the record of a person's decision, which ends a halt.

        Raises:
            CollectionsError: what ``halt`` was given; OVERLOADED when other writers hold the database too long;
                STORAGE_UNAVAILABLE when the disk or the server fails before COMMIT, so that nothing was kept; OUTCOME_UNKNOWN
                when COMMIT fails, because what it left behind is only known after asking again with the same key.
        """
        if self._halted is not None and not despite_halt:
            raise self._halted
        with _reached(self._begin) as connection:
            try:
                yield connection
            except BaseException as error:
                _roll_back(connection)
                if isinstance(error, Exception) and failed_storage(error):
                    raise unwritable("database", error) from error
                raise
            try:
                connection.commit()
            except DBAPIError as error:
                connection.invalidate()  # it may still be in the transaction; the pool must not lend it again
                raise refuse(
                    Reason.OUTCOME_UNKNOWN,
                    "request_id",
                    "the commit failed; it may or may not have been kept.",
                    "Retry with the same request id.",
                ) from error

    def migrate(self) -> None:
        """Bring the schema up to date.

        Raises:
            CollectionsError: SCHEMA_MISMATCH when newer code wrote the database.
        """
        with _MIGRATING, self.write() as connection:
            if MigrationContext.configure(connection).get_current_heads() == _newest():
                return
            config = _migrations()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise refuse(
                    Reason.SCHEMA_MISMATCH,
                    "database",
                    f"has an unknown schema: {error}.",
                    "Use the code that wrote it, or newer.",
                ) from error

    def _begin(self) -> sa.Connection:
        """Return a connection whose transaction holds off other writers; closing it uncommitted rolls back."""
        connection = self._writer.connect()
        try:
            if self.dialect == "sqlite":
                reopened_if_writable(connection)
            connection.begin()  # SQLite: BEGIN IMMEDIATE
            if self.dialect == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        except BaseException:
            connection.close()
            raise
        return connection


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations").replace("%", "%%"))
    return config


@cache
def _newest() -> tuple[str, ...]:
    """Return the revision of a schema that is up to date; reading the migrations takes longer than asking the database."""
    return tuple(ScriptDirectory.from_config(_migrations()).get_heads())


def _roll_back(connection: sa.Connection) -> None:
    """Undo a transaction; where its server is gone, so is the transaction, and the pool must not lend the connection again."""
    try:
        connection.rollback()
    except DBAPIError:
        connection.invalidate()


def _reached(connect: Callable[[], Opened]) -> Opened:
    try:
        return connect()
    except (DBAPIError, PoolTimeout) as error:
        if isinstance(error, DBAPIError) and not failed_storage(error):
            raise
        raise unreachable(error) from error


def open_database(url: str) -> Database:
    """Open a database by SQLAlchemy URL and bring its schema up to date.

    SQLite runs in rollback-journal mode (its WAL mode can corrupt with several writers before 3.51.3), with foreign keys,
    recursive triggers and an untrusted schema.

    Raises:
        CollectionsError: INVALID_ARGUMENT for what is no URL, or a kind of database that has no append-only triggers here.
    """
    try:
        kind = sa.engine.make_url(url).get_backend_name()
    except ArgumentError as error:
        raise refuse(Reason.INVALID_ARGUMENT, "url", f"is not a database URL: {error}.", "Use sqlite:///FILE.") from error
    if kind not in ("sqlite", "postgresql"):
        raise refuse(Reason.INVALID_ARGUMENT, "url", f"{kind} is not supported.", "Use SQLite or PostgreSQL.")
    engine = sa.create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        use_sqlite(engine)
    enforce_scopes(engine)
    database = Database(engine)
    database.migrate()
    return database


class Store:
    """Part of the ledger: methods over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database


def timestamp(now: datetime) -> str:
    """Return an instant as ISO 8601 in UTC, which sorts as text.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a time without zone.
    """
    if now.tzinfo is None:
        raise refuse(Reason.INVALID_ARGUMENT, "now", f"{now} has no time zone.", "Pass an aware datetime.")
    return now.astimezone(UTC).isoformat()


def check_size(size: int) -> int:
    """Return a page size; one row above the largest page is allowed, it tells whether another page follows.

    Raises:
        CollectionsError: LIMIT_EXCEEDED.
    """
    if not 1 <= size <= MAX_PAGE_SIZE + 1:
        raise refuse(Reason.LIMIT_EXCEEDED, "size", f"{size} rows.", f"Ask for 1 to {MAX_PAGE_SIZE}.")
    return size


def found(record: Record | None, field: str, value: str) -> Record:
    """Return the record.

    Raises:
        CollectionsError: NOT_FOUND when there is none.
    """
    if record is None:
        raise refuse(Reason.NOT_FOUND, field, f"{value!r} does not exist.", "List what exists, or check the spelling.", value)
    return record


def reused(request_id: str) -> CollectionsError:
    """Return the refusal of a request id that came before with another payload."""
    return refuse(Reason.REQUEST_ID_REUSED, "request_id", f"{request_id!r} was used for another request.", "Use a new UUID.")


def one(connection: sa.Connection, table: sa.Table, condition: sa.ColumnElement[bool], record: type[Record]) -> Record | None:
    """Return the only row that meets a condition as a record."""
    row = connection.execute(table.select().where(condition)).mappings().first()
    return record(**row) if row else None
