"""Assigned entries in SQL: written in bulk with their ranking, read by page or by account, checked by digest."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
import sqlalchemy as sa
from numpy.typing import NDArray

from collections_opt.core.arrays import Array, digest_columns
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ranking import Entries
from collections_opt.ledger.records import WorklistEntry
from collections_opt.ledger.store.database import Store, check_size
from collections_opt.ledger.store.schema import PLACES_PER_KEY, entries_place, rankings
from collections_opt.ledger.store.schema import ranking_entries as table

_BATCH_ROWS = 50_000
_NUMBERS = (
    "queue",
    "priority",
    "row_number",
    "increment_minor",
    "seconds",
    "surplus_minor",
    "attempts",
    "call_from",
    "call_until",
)
AT_REST = {"attempts": 0, "call_from": -1, "call_until": -1}
"""What entries hold in columns that came later, where these say nothing: a worklist without any is hashed as those of before."""

_NAMES = ("seq", "account_id", *_NUMBERS)
_ENTRY = tuple(table.c[name] for name in WorklistEntry.__dataclass_fields__)


class Worklists(Store):
    """Worklists of recorded rankings."""

    def page(self, ranking_id: str, queue: int, after_priority: int, size: int) -> list[WorklistEntry]:
        """Return a queue's accounts in order, after a place (0 for all), at most ``size``."""
        query = (
            sa.select(*_ENTRY)
            .where(table.c.seq == _seq_of(ranking_id), table.c.queue == queue, table.c.priority > after_priority)
            .limit(check_size(size))
        )
        if self._database.dialect == "postgresql":  # in the words of its index
            query = query.where(entries_place >= after_priority // PLACES_PER_KEY).order_by(entries_place)
        query = query.order_by(table.c.priority)
        with self._database.read() as connection:
            return [WorklistEntry(**row) for row in connection.execute(query).mappings()]

    def entry(self, ranking_id: str, account_id: str) -> WorklistEntry | None:
        """Return where a ranking put an account, None when it is in no worklist."""
        query = sa.select(*_ENTRY).where(table.c.account_id == account_id, table.c.seq == _seq_of(ranking_id))
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return WorklistEntry(**row) if row else None


class AssignedColumns:
    """The assigned entries of a ranking in canonical order (queue, priority): what is inserted and what is hashed."""

    def __init__(self, account_id: NDArray[np.bytes_], numbers: Mapping[str, Array]) -> None:
        order = np.lexsort((numbers["priority"], numbers["queue"]))
        # The width of bytes is part of a digest; the narrowest depends on the content alone.
        width = max(1, int(np.char.str_len(account_id).max(initial=1)))
        self.account_id = account_id[order].astype(f"S{width}")
        self.numbers = {name: numbers[name][order].astype(np.int64) for name in _NUMBERS}

    def check_places(self) -> None:
        """Refuse two accounts at one place of one queue, which the index of PostgreSQL would let in.

        Raises:
            CollectionsError: INVALID_ARGUMENT.
        """
        queue, priority = self.numbers["queue"], self.numbers["priority"]
        twice = np.flatnonzero((np.diff(queue) == 0) & (np.diff(priority) == 0))
        if twice.size:
            at = int(twice[0])
            place = f"place {priority[at]} of queue {queue[at]} is given to two accounts."
            raise refuse(Reason.INVALID_ARGUMENT, "priority", place, "Number each queue's accounts from 1.")

    @classmethod
    def of_entries(cls, entries: Entries) -> AssignedColumns:
        """Return the assigned ones of all entries; ``row_number`` is the position among all."""
        rows = np.flatnonzero(entries.queue != UNASSIGNED)
        count = entries.queue.size
        later = {name: np.full(count, rest, dtype=np.int16) for name, rest in AT_REST.items()}
        columns = {**later, **entries.columns(), "row_number": np.arange(count)}
        return cls(entries.account_id[rows], {name: columns[name][rows] for name in _NUMBERS})

    @classmethod
    def stored(cls, connection: sa.Connection, seq: int) -> AssignedColumns:
        """Return what the database holds for the ranking of a number."""
        query = sa.select(table.c.account_id, *(table.c[name] for name in _NUMBERS)).where(table.c.seq == seq)
        columns = list(zip(*connection.execute(query).all(), strict=True)) or [()] * (1 + len(_NUMBERS))
        numbers = {name: np.array(column, dtype=np.int64) for name, column in zip(_NUMBERS, columns[1:], strict=True)}
        text = np.array(columns[0], dtype=np.str_)
        return cls(np.char.encode(text, "utf-8"), numbers)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all columns, without those that came later and say nothing of any account."""
        said = {name for name, rest in AT_REST.items() if (self.numbers[name] != rest).any()}
        kept = {name: column for name, column in self.numbers.items() if name not in AT_REST or name in said}
        return digest_columns({"account_id": self.account_id, **kept}, ("worklists-1",))

    def insert(self, connection: sa.Connection, seq: int) -> None:
        """Insert all rows: COPY on PostgreSQL, executemany on SQLite; a batch at a time is turned into text or tuples."""
        write = _copy if connection.dialect.name == "postgresql" else _executemany
        for start in range(0, self.account_id.size, _BATCH_ROWS):
            rows = slice(start, start + _BATCH_ROWS)
            accounts = np.char.decode(self.account_id[rows], "utf-8").tolist()
            write(connection, seq, accounts, [self.numbers[name][rows] for name in _NUMBERS])


def _copy(connection: sa.Connection, seq: int, accounts: list[str], numbers: list[Array]) -> None:
    columns = [pa.array([seq] * len(accounts)), pa.array(accounts), *map(pa.array, numbers)]
    text = io.BytesIO()
    pa_csv.write_csv(pa.table(columns, names=list(_NAMES)), text, pa_csv.WriteOptions(include_header=False))
    cursor = connection.connection.cursor()
    statement = f"COPY {table.name} ({', '.join(_NAMES)}) FROM STDIN (FORMAT csv)"
    try:
        with cursor.copy(statement) as copy:
            copy.write(text.getvalue())
    except psycopg.Error as error:  # SQLAlchemy knows no COPY, so it has not translated the error
        lost = isinstance(error, psycopg.OperationalError)
        raise (sa.exc.OperationalError if lost else sa.exc.DatabaseError)(statement, None, error) from error


def _executemany(connection: sa.Connection, seq: int, accounts: list[str], numbers: list[Array]) -> None:
    rows = zip([seq] * len(accounts), accounts, *(column.tolist() for column in numbers), strict=True)
    places = ", ".join("?" * len(_NAMES))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(_NAMES)}) VALUES ({places})", list(rows))  # noqa: S608 - constants


def _seq_of(ranking_id: str) -> sa.ScalarSelect[int]:
    return sa.select(rankings.c.seq).where(rankings.c.ranking_id == ranking_id).scalar_subquery()
