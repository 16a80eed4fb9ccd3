"""The ledger: one transaction makes a ranking exist, and nothing recorded is ever changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import IntegrityError

from collections_opt.core.arrays import digest_text
from collections_opt.core.assignment import UNASSIGNED
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.ranking import Entries
from collections_opt.ledger.objects import ObjectStore
from collections_opt.ledger.records import PlanRecord, PortfolioRecord, RankingRecord, WorklistEntry
from collections_opt.ledger.schema import capacity_plans, portfolios, ranking_entries, rankings

GENESIS = "0" * 64
"""Previous digest of the first ranking."""

_LOCK = 7_310_642_118
_BATCH_ROWS = 10_000
Record = TypeVar("Record")


def canonical_json(content: Mapping[str, Any]) -> str:
    """Return sorted, compact JSON.

    Raises:
        TypeError: for floats, whose text is no stable evidence.
    """

    def check(value: Any) -> None:
        if isinstance(value, float):
            raise TypeError(f"records hold no floats, got {value!r}")
        for child in value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ():
            check(child)

    check(content)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def open_ledger(url: str, objects: ObjectStore) -> Ledger:
    """Open a ledger by SQLAlchemy URL, bringing its schema up to date.

    SQLite runs in rollback-journal mode with foreign keys, recursive triggers and an untrusted schema.
    """
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _harden_sqlite)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return Ledger(engine, objects)


def _harden_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins transactions itself, with IMMEDIATE
    for pragma in (
        "foreign_keys=ON",
        "recursive_triggers=ON",
        "trusted_schema=OFF",
        "journal_mode=DELETE",
        "synchronous=FULL",
        "busy_timeout=30000",
    ):
        connection.execute(f"PRAGMA {pragma}")


class Ledger:
    """Portfolios, plans and rankings; every write is one transaction, acknowledged after its commit."""

    def __init__(self, engine: sa.Engine, objects: ObjectStore) -> None:
        self._engine = engine
        self.objects = objects

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def add_portfolio(self, record: PortfolioRecord) -> PortfolioRecord:
        """Record an imported portfolio; the same id with the same content is stored once.

        Raises:
            CollectionsError: ALREADY_EXISTS when the id holds other content.
        """
        with self._engine.begin() as connection:
            stored = _one(connection, portfolios, portfolios.c.portfolio_id == record.portfolio_id, PortfolioRecord)
            if stored is None:
                connection.execute(portfolios.insert(), asdict(record))
                return record
        if (stored.digest, stored.row_count) != (record.digest, record.row_count):
            raise refuse(Reason.ALREADY_EXISTS, "portfolio_id", f"{record.portfolio_id!r} holds other accounts.", "Use a new id.")
        return stored

    def portfolio(self, portfolio_id: str) -> PortfolioRecord:
        """Return a portfolio.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        with self._engine.connect() as connection:
            found = _one(connection, portfolios, portfolios.c.portfolio_id == portfolio_id, PortfolioRecord)
        return _found(found, "portfolio_id", portfolio_id)

    def portfolios_after(self, after: str, size: int) -> list[PortfolioRecord]:
        """Return portfolios by id, after one, at most ``size``."""
        query = portfolios.select().where(portfolios.c.portfolio_id > after).order_by(portfolios.c.portfolio_id).limit(size)
        with self._engine.connect() as connection:
            return [PortfolioRecord(**row) for row in connection.execute(query).mappings()]

    def add_plan(self, plan_id: str, effective_from: date, payload: str, expected_etag: str | None, now: datetime) -> PlanRecord:
        """Add a version of a plan; version 1 needs no etag, later ones the current version's.

        Raises:
            CollectionsError: ALREADY_EXISTS when a first version exists, ETAG_MISMATCH when another version came between.
        """
        try:
            with self._engine.begin() as connection:
                self._lock(connection)
                query = (
                    capacity_plans.select().where(capacity_plans.c.plan_id == plan_id).order_by(capacity_plans.c.version.desc())
                )
                row = connection.execute(query.limit(1)).mappings().first()
                _check_etag(PlanRecord(**row) if row else None, plan_id, expected_etag)
                version = row["version"] + 1 if row else 1
                etag = digest_text(f"{plan_id}/{version}/{payload}")[:16]
                record = PlanRecord(plan_id, version, effective_from.isoformat(), etag, payload, now.isoformat())
                connection.execute(capacity_plans.insert(), asdict(record))
                return record
        except IntegrityError as error:
            raise refuse(
                Reason.ETAG_MISMATCH, "etag", "another version was written meanwhile.", "Read it and try again."
            ) from error

    def plan(self, plan_id: str, version: int | None = None) -> PlanRecord:
        """Return a version of a plan, or its latest.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        query = capacity_plans.select().where(capacity_plans.c.plan_id == plan_id).order_by(capacity_plans.c.version.desc())
        if version is not None:
            query = query.where(capacity_plans.c.version == version)
        with self._engine.connect() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
        return _found(PlanRecord(**row) if row else None, "plan_id", plan_id if version is None else f"{plan_id}/{version}")

    def plans_after(self, after: str, size: int) -> list[PlanRecord]:
        """Return the latest version of each plan by id, after one, at most ``size``."""
        latest = sa.select(sa.func.max(capacity_plans.c.version)).where(
            capacity_plans.c.plan_id == sa.literal_column("outside.plan_id")
        )
        outside = capacity_plans.alias("outside")
        query = outside.select().where(outside.c.plan_id > after, outside.c.version == latest.scalar_subquery())
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(outside.c.plan_id).limit(size)).mappings()
            return [PlanRecord(**row) for row in rows]

    def find_request(self, request_id: str, payload_digest: str) -> RankingRecord | None:
        """Return the ranking that a request already made.

        Raises:
            CollectionsError: REQUEST_ID_REUSED when the request id came with another payload.
        """
        with self._engine.connect() as connection:
            found = _ranking(connection, rankings.c.request_id == request_id)
        if found is not None and found.payload_digest != payload_digest:
            raise _reused(request_id)
        return found

    def add_ranking(
        self,
        ranking_id: str,
        request_id: str,
        payload_digest: str,
        portfolio_id: str,
        record: Mapping[str, Any],
        entries: Entries,
        now: datetime,
    ) -> RankingRecord:
        """Record a ranking and its assigned entries in one transaction; its objects must be stored before.

        The same request again returns the ranking it made.

        Raises:
            CollectionsError: REQUEST_ID_REUSED as ``find_request``.
        """
        text = canonical_json(record)
        with self._engine.begin() as connection:
            self._lock(connection)
            stored = _ranking(connection, rankings.c.request_id == request_id)
            if stored is None:
                last = connection.execute(rankings.select().order_by(rankings.c.seq.desc()).limit(1)).mappings().first()
                seq, previous = (last["seq"] + 1, last["record_digest"]) if last else (1, GENESIS)
                values = {
                    "seq": seq,
                    "ranking_id": ranking_id,
                    "request_id": request_id,
                    "payload_digest": payload_digest,
                    "portfolio_id": portfolio_id,
                    "record": text,
                    "previous_digest": previous,
                    "created_at": now.isoformat(),
                }
                values["record_digest"] = chain_digest(values)
                connection.execute(rankings.insert(), values)
                _insert_entries(connection, ranking_id, entries)
                return RankingRecord(**{**values, "record": json.loads(text)})
        if stored.payload_digest != payload_digest:
            raise _reused(request_id)
        return stored

    def ranking(self, ranking_id: str) -> RankingRecord:
        """Return a ranking.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        with self._engine.connect() as connection:
            found = _ranking(connection, rankings.c.ranking_id == ranking_id)
        return _found(found, "ranking_id", ranking_id)

    def rankings_before(self, seq: int | None, size: int) -> list[RankingRecord]:
        """Return rankings, newest first, before a sequence number (None for all), at most ``size``."""
        query = rankings.select().order_by(rankings.c.seq.desc()).limit(size)
        if seq is not None:
            query = query.where(rankings.c.seq < seq)
        with self._engine.connect() as connection:
            return [_as_ranking(row) for row in connection.execute(query).mappings()]

    def worklist(self, ranking_id: str, queue: int, after_priority: int, size: int) -> list[WorklistEntry]:
        """Return a queue's accounts in order, after a place, at most ``size``."""
        table = ranking_entries.c
        query = (
            sa.select(
                table.priority, table.account_id, table.row_number, table.increment_minor, table.seconds, table.surplus_minor
            )
            .where(table.ranking_id == ranking_id, table.queue == queue, table.priority > after_priority)
            .order_by(table.priority)
            .limit(size)
        )
        with self._engine.connect() as connection:
            return [WorklistEntry(**row) for row in connection.execute(query).mappings()]

    def verify_chain(self) -> list[str]:
        """Return what is broken in the chain of rankings, in words; empty when it holds."""
        broken, previous, expected = [], GENESIS, 1
        with self._engine.connect() as connection:
            for row in (
                connection.execution_options(yield_per=1_000).execute(rankings.select().order_by(rankings.c.seq)).mappings()
            ):
                if row["seq"] != expected:
                    broken.append(f"ranking {row['ranking_id']}: sequence {row['seq']} where {expected} belongs")
                if row["previous_digest"] != previous:
                    broken.append(f"ranking {row['ranking_id']}: does not follow the one before it")
                if row["record_digest"] != chain_digest(row):
                    broken.append(f"ranking {row['ranking_id']}: its content differs from its digest")
                previous, expected = row["record_digest"], row["seq"] + 1
        return broken

    def _lock(self, connection: sa.Connection) -> None:
        """Serialise writers: SQLite's BEGIN IMMEDIATE does already."""
        if self._engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


_CHAINED = ("seq", "ranking_id", "request_id", "payload_digest", "portfolio_id", "record", "previous_digest", "created_at")


def chain_digest(row: Any) -> str:
    """Return the SHA-256 (hex) of a ranking row's content and its predecessor's digest."""
    return digest_text(json.dumps([str(row[name]) for name in _CHAINED], ensure_ascii=False, separators=(",", ":")))


def _reused(request_id: str) -> CollectionsError:
    return refuse(Reason.REQUEST_ID_REUSED, "request_id", f"{request_id!r} was used for another request.", "Use a new UUID.")


def _check_etag(current: PlanRecord | None, plan_id: str, expected: str | None) -> None:
    if expected is None and current is not None:
        raise refuse(Reason.ALREADY_EXISTS, "plan_id", f"{plan_id!r} exists.", "Update it with its etag.")
    if expected is not None and current is None:
        raise refuse(Reason.NOT_FOUND, "plan_id", f"{plan_id!r} does not exist.", "Create it first.")
    if current is not None and current.etag != expected:
        raise refuse(Reason.ETAG_MISMATCH, "etag", f"version {current.version} has another etag.", "Read it and try again.")


def _one(connection: sa.Connection, table: sa.Table, condition: Any, record: type[Record]) -> Record | None:
    row = connection.execute(table.select().where(condition)).mappings().first()
    return record(**row) if row else None


def _as_ranking(row: Any) -> RankingRecord:
    return RankingRecord(**{**row, "record": json.loads(row["record"])})


def _ranking(connection: sa.Connection, condition: Any) -> RankingRecord | None:
    row = connection.execute(rankings.select().where(condition)).mappings().first()
    return _as_ranking(row) if row else None


def _found(record: Record | None, field: str, value: str) -> Record:
    if record is None:
        raise refuse(Reason.NOT_FOUND, field, f"{value!r} does not exist.", "List what exists, or check the spelling.")
    return record


def _insert_entries(connection: sa.Connection, ranking_id: str, entries: Entries) -> None:
    """Insert the assigned entries in batches; rows become Python tuples one batch at a time."""
    worked = np.flatnonzero(entries.queue != UNASSIGNED)
    names = ("queue", "priority", "account_id", "row_number", "increment_minor", "seconds", "surplus_minor")
    for start in range(0, worked.size, _BATCH_ROWS):
        rows = worked[start : start + _BATCH_ROWS]
        columns = (
            entries.queue[rows].tolist(),
            entries.priority[rows].tolist(),
            np.char.decode(entries.account_id[rows], "utf-8").tolist(),
            rows.tolist(),
            entries.increment_minor[rows].tolist(),
            entries.seconds[rows].tolist(),
            entries.surplus_minor[rows].tolist(),
        )
        batch = [dict(zip(names, values, strict=True), ranking_id=ranking_id) for values in zip(*columns, strict=True)]
        connection.execute(ranking_entries.insert(), batch)
