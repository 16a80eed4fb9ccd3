"""Rows outside the chain of rankings, each under a leaf of the log: imports, plans, models, acts, answers; and who made them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from collections_opt.core.actors import Actor, recorded_actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import CollectionsError
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.log import LogEntry, LogKind, append_log
from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import (
    capacity_acts,
    capacity_plans,
    erasure_permits,
    event_batches,
    idempotency_keys,
    log_entries,
    model_events,
    models,
    outcome_records,
    portfolios,
    resource_approvals,
    resource_versions,
)

LOGGED: Mapping[LogKind, sa.Table] = MappingProxyType(
    {
        LogKind.PORTFOLIO: portfolios,
        LogKind.PLAN: capacity_plans,
        LogKind.MODEL: models,
        LogKind.MODEL_EVENT: model_events,
        LogKind.ANSWER: idempotency_keys,
        LogKind.RESOURCE: resource_versions,
        LogKind.RESOURCE_APPROVAL: resource_approvals,
        LogKind.EVENTS: event_batches,
        LogKind.CAPACITY_ACT: capacity_acts,
        LogKind.OUTCOME: outcome_records,
    }
)
"""Tables whose every row has a leaf."""

_BATCH_ROWS = 1_000


class LoggedRows(Store):
    """Rows and their leaves."""

    def actors(self, kind: LogKind, references: Iterable[str]) -> dict[str, Actor]:
        """Return who recorded rows, by reference; nobody known for rows of before that was recorded."""
        query = sa.select(log_entries).where(log_entries.c.kind == kind.value, log_entries.c.reference.in_(list(references)))
        with self._database.read() as connection:
            found = [LogEntry(**{**row, "kind": kind}) for row in connection.execute(query).mappings()]
        return {entry.reference: recorded_actor(entry.facts.get("actor", {})) for entry in found}

    def verify(self) -> list[str]:
        """Return which rows and leaves do not belong together, in words, and permits outside any erasure; empty when all do."""
        with self._database.read() as connection:
            broken = [line for kind in LOGGED for line in _broken_rows(connection, kind)]
            permits = connection.execute(sa.select(sa.func.count()).select_from(erasure_permits)).scalar_one()
        return broken + ([f"{permits} erasure permits outlive their erasure"] if permits else [])


def insert_logged(
    connection: sa.Connection,
    kind: LogKind,
    row: Mapping[str, Any],
    actor: Actor | None = None,
    beside: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Insert a row and its leaf, within a transaction; the leaf tells who did it, unless the row does."""
    connection.execute(LOGGED[kind].insert(), dict(row))
    told = {"actor": actor.recorded()} if actor else {}
    append_log(connection, kind, reference_of(kind, row), {**told, **beside, "row_digest": row_digest(row)})


def reference_of(kind: LogKind, row: Mapping[str, Any]) -> str:
    """Return what a row is called in the log: its key."""
    return "/".join(str(row[column.name]) for column in LOGGED[kind].primary_key)


def row_digest(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a row's canonical JSON."""
    return digest_text(canonical_json(dict(row)))


def _told(entry: LogEntry) -> Any:
    try:
        return entry.facts.get("row_digest")
    except CollectionsError:
        return None  # a leaf that cannot be read is told by ``Log.verify``


def _broken_rows(connection: sa.Connection, kind: LogKind) -> list[str]:
    leaves = sa.select(log_entries).where(log_entries.c.kind == kind.value).order_by(log_entries.c.position)
    entries = [LogEntry(**{**row, "kind": kind}) for row in connection.execute(leaves).mappings()]
    expected = {entry.reference: _told(entry) for entry in entries}
    title = kind.value.replace("_", " ")
    broken = [f"{title} {entries[0].reference}: has more than one leaf in the log"] if len(expected) < len(entries) else []
    query = connection.execute(LOGGED[kind].select(), execution_options={"yield_per": _BATCH_ROWS})
    for row in map(dict, query.mappings()):
        reference = reference_of(kind, row)
        if reference not in expected:
            broken.append(f"{title} {reference}: is stored, but has no leaf in the log")
        elif expected.pop(reference) != row_digest(row):
            broken.append(f"{title} {reference}: differs from its leaf in the log")
    return broken + [f"{title} {reference}: has a leaf in the log, but is gone" for reference in expected]
