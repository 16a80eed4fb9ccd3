"""What SQLite needs: its connections hardened, its transactions begun, none kept that was opened on a read-only disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_OPENED_READ_ONLY = "opened_read_only"


def use_sqlite(engine: sa.Engine) -> None:
    """Let the connections of an engine be hardened, and its transactions begin as writers or readers."""

    def connected(connection: Any, record: Any) -> None:
        record.info[_OPENED_READ_ONLY] = not _is_writable(engine.url.database)
        _harden_sqlite(connection, record)

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", _begin_sqlite)


def reopened_if_writable(connection: sa.Connection) -> None:
    """Open a connection anew that was opened while the disk was read-only, once it is not: SQLite never writes by such a one."""
    while connection.info.get(_OPENED_READ_ONLY) and _is_writable(connection.engine.url.database):
        connection.invalidate()  # the next use opens another, or takes one from the pool, which may be as old


def _is_writable(file: str | None) -> bool:
    return not file or not Path(file).exists() or os.access(file, os.W_OK)


def _harden_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins transactions itself, writers with IMMEDIATE
    for pragma in (
        "foreign_keys=ON",
        "recursive_triggers=ON",
        "trusted_schema=OFF",
        "secure_delete=ON",
        "journal_mode=DELETE",
        "synchronous=FULL",
        "busy_timeout=30000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("ledger_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
