"""Statements for many rows as the driver takes them: SQLAlchemy would bind every value anew, a sixth of the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

_BY_DIALECT = 64


def execute_many(connection: sa.Connection, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement for each row, within a transaction; values are what the driver takes, and no column has a default.

    Args:
        connection: of the transaction.
        statement: one that lives as long as the process: what it compiles to is kept.
        rows: values by the names of the statement's parameters.
    """
    if not rows:
        return
    text, names = _compiled(statement, connection.dialect, tuple(rows[0]))
    values = [tuple(map(row.__getitem__, names)) for row in rows] if names else list(rows)
    connection.exec_driver_sql(text, values)


@lru_cache(maxsize=_BY_DIALECT)
def _compiled(statement: sa.Insert | sa.Update, dialect: Dialect, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...] | None]:
    """Return the text, and the order of its parameters where they have no names."""
    keys = list(columns) if isinstance(statement, sa.Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=keys)
    return str(compiled), None if compiled.positiontup is None else tuple(compiled.positiontup)
