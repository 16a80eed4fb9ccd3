"""Move a ledger to another database: verified before, copied in one transaction, compared row by row, verified after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.identity import retire
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.objects.named import ObjectsOf, missing_objects
from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.schema import metadata, ranking_entries, rankings
from collections_opt.ledger.tables.worklists import AssignedColumns

_BATCH_ROWS = 1_000
Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Move:
    """What was moved.

    Attributes:
        rows: rows by table, the same on both sides.
        ranking_count: rankings verified on both sides.
        head: digest of the last record, the same on both sides.
        copied_before: whether an earlier move had copied everything and ended before it could say so in the source.
    """

    rows: dict[str, int]
    ranking_count: int
    head: str
    copied_before: bool = False


def move_ledger(
    source: Ledger,
    target: Ledger,
    objects_of: ObjectsOf,
    now: datetime,
    report: Report = lambda _stage, _fraction: None,
) -> Move:
    """Copy everything recorded into an empty ledger; the source then says that it was moved, and takes no writes any more.

    Both ledgers name the same objects, which must be there and are not copied. A move that ended between the two commits is taken
    up: the target holds exactly what the source holds, and only the source has still to say so.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when the source does not verify, or the copy differs from it (nothing is kept then);
            ALREADY_EXISTS when the target holds anything else; LEDGER_HALTED when the source was moved before.
    """
    _refuse_broken("the ledger to be moved", _unverified(source, objects_of, report, 0.0))
    tables = metadata.sorted_tables
    with source.database.write() as old, target.database.write() as new:
        there = next((table for table in tables if _count(new, table)), None)
        if there is not None:
            _require_same(old, new, tables, there)
            rows = {table.name: _count(old, table) for table in tables}
        else:
            rows = copy_everything(old, new, report)
        # Committed after the copy: a source that said so first could be left without any ledger that takes writes.
        retire(source.database, old, target.database.title, now)
    report("verifying the copy", 0.7)
    _refuse_broken("the copy", _unverified(target, objects_of, report, 0.7))
    head = source.chain.head()
    if target.chain.head() != head:
        raise _different("rankings")
    return Move(rows, rows[rankings.name], head.record_digest, there is not None)


def copy_everything(old: sa.Connection, new: sa.Connection, report: Report) -> dict[str, int]:
    """Copy every table of one database into an empty one and return the rows of each; the copies have the same digests.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when a copy differs.
    """
    rows, tables = {}, metadata.sorted_tables
    for number, table in enumerate(tables):
        report(f"copying {table.name}", 0.3 + 0.4 * number / len(tables))
        rows[table.name] = _copy_entries(old, new) if table is ranking_entries else _copy(old, new, table)
        if table_digest(old, table) != table_digest(new, table):
            raise _different(table.name)
    return rows


def _require_same(old: sa.Connection, new: sa.Connection, tables: Sequence[sa.Table], there: sa.Table) -> None:
    """Refuse a target that holds anything but an exact copy, which a move leaves that ended right after it."""
    if all(_count(old, table) == _count(new, table) and table_digest(old, table) == table_digest(new, table) for table in tables):
        return
    raise refuse(
        Reason.ALREADY_EXISTS,
        "target",
        f"its table {there.name} holds rows that differ from the source's.",
        "Name an empty database.",
    )


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def findings(ledger: Ledger, report: Report, start: float) -> list[str]:
    """Return what does not verify: chain, log, rows, lives, rankings with their worklists; objects are another matter."""
    broken = [*ledger.chain.verify(), *ledger.log.verify(), *ledger.logged_rows.verify(), *ledger.lives.verify()]
    for ranking in ledger.rankings.newest_first():
        report(f"verifying {ranking.ranking_id}", start)
        broken += [f"{ranking.ranking_id}: {line}" for line in ledger.rankings.verify(ranking.ranking_id)]
    return broken


def _unverified(ledger: Ledger, objects_of: ObjectsOf, report: Report, start: float) -> list[str]:
    return findings(ledger, report, start) or missing_objects(ledger.database, ledger.objects, objects_of)


def table_digest(connection: sa.Connection, table: sa.Table) -> str:
    """Return the SHA-256 (hex) of a table's rows in order of their keys, whichever database holds them."""
    sha = hashlib.sha256()
    if table is ranking_entries:
        for seq in connection.execute(sa.select(rankings.c.seq).order_by(rankings.c.seq)).scalars().all():
            sha.update(AssignedColumns.stored(connection, seq).digest.encode())
        return sha.hexdigest()
    # Sorted here: the databases do not agree on the order of texts.
    lines = sorted(json.dumps([_plain(value) for value in row]) for batch in _batches(connection, table) for row in batch)
    sha.update("\n".join(lines).encode())
    return sha.hexdigest()


def _copy(old: sa.Connection, new: sa.Connection, table: sa.Table) -> int:
    copied = 0
    for batch in _batches(old, table):
        new.execute(table.insert(), [row._asdict() for row in batch])
        copied += len(batch)
    return copied


def _copy_entries(old: sa.Connection, new: sa.Connection) -> int:
    copied = 0
    for seq in old.execute(sa.select(rankings.c.seq).order_by(rankings.c.seq)).scalars().all():
        columns = AssignedColumns.stored(old, seq)
        columns.insert(new, seq)
        copied += int(columns.account_id.size)
    return copied


def _batches(connection: sa.Connection, table: sa.Table) -> Iterator[Sequence[sa.Row[Any]]]:
    """Yield rows in the order of their keys, in which triggers against gaps let them in."""
    query = table.select().order_by(*table.primary_key)
    yield from connection.execute(query, execution_options={"yield_per": _BATCH_ROWS}).partitions()


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else value


def _refuse_broken(what: str, broken: list[str]) -> None:
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise refuse(Reason.INTEGRITY_FAILURE, "ledger", f"{what} does not verify: {broken[0]}{more}.", "Restore it first.")


def _different(table: str) -> CollectionsError:
    return refuse(Reason.INTEGRITY_FAILURE, "target", f"the copy of {table} differs.", "Nothing was kept; move again.")


def refuse_same(source: Database, target: Database) -> None:
    """Refuse to move a ledger anywhere but from SQLite to PostgreSQL.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    if (source.dialect, target.dialect) != ("sqlite", "postgresql"):
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "to",
            f"moves from {source.dialect} to {target.dialect} are not made here.",
            "Move from SQLite to PostgreSQL.",
        )
