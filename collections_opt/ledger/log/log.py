"""The log of everything that was recorded, in order, under one tree: a leaf per ranking, erasure, hold, import, plan and act."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.merkle import HASH_BYTES, MerkleTree, leaf_hash
from collections_opt.ledger.objects.folder import is_digest
from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import log_entries as table
from collections_opt.ledger.store.schema import rankings
from collections_opt.ledger.store.standing_portfolios import PORTFOLIO_DELETION

_PAGE = 1_000
_LAST = sa.select(sa.func.coalesce(sa.func.max(table.c.position), -1))


class LogKind(StrEnum):
    """What a leaf of the log records; from PORTFOLIO on it is a row outside the chain of rankings."""

    RANKING = "ranking"
    ERASURE = "erasure"
    HOLD = "hold"
    PORTFOLIO = "portfolio"
    PLAN = "plan"
    MODEL = "model"
    MODEL_EVENT = "model_event"
    ANSWER = "answer"
    RESOURCE = "resource"
    RESOURCE_APPROVAL = "resource_approval"
    EVENTS = "events"
    CAPACITY_ACT = "capacity_act"
    OUTCOME = "outcome"
    READS = "reads"
    PORTFOLIO_DELETION = PORTFOLIO_DELETION
    """A portfolio's accounts are gone; the row with its counts and digests stays, and so does its own leaf."""
    LEDGER = "ledger"
    """About the ledger itself: its name and store, where it was moved, its keys, what a person decided about its history."""


@dataclass(frozen=True)
class LogEntry:
    """One leaf: ``content`` is canonical JSON, its bytes are what the tree hashes; ``position`` counts from 0."""

    position: int
    kind: LogKind
    reference: str
    content: str
    leaf_hash: str

    @property
    def facts(self) -> dict[str, Any]:
        """The content as a mapping.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when it is none.
        """
        try:
            return dict(json.loads(self.content))
        except (ValueError, TypeError) as error:
            raise _unreadable(self.position) from error


class Log(Store):
    """The leaves of the log and the tree over them."""

    def tree(self) -> MerkleTree:
        """Return the tree over all leaves recorded so far.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when the hash of a leaf is none.
        """
        with self._database.read() as connection:
            hashes = connection.execute(sa.select(table.c.leaf_hash).order_by(table.c.position)).scalars().all()
        wrong = [position for position, text in enumerate(hashes) if not is_digest(text)]
        if wrong:
            raise refuse(
                Reason.INTEGRITY_FAILURE, "log", f"log entry {wrong[0]} has no leaf hash.", "Restore the database from a backup."
            )
        raw = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8)
        return MerkleTree(raw.reshape(-1, HASH_BYTES))

    def entries(self, kind: LogKind | None = None) -> Iterator[LogEntry]:
        """Yield all leaves in order, or those of a kind, a page per transaction."""
        yield from map(_entry, self._rows(kind))

    def kinds_from(self, position: int) -> list[LogKind]:
        """Return the kinds of leaves from a position on, each once."""
        query = sa.select(table.c.kind).where(table.c.position >= position).distinct()
        with self._database.read() as connection:
            return [LogKind(kind) for kind in connection.execute(query).scalars().all()]

    def _rows(self, kind: LogKind | None = None) -> Iterator[Any]:
        after = -1
        while True:
            query = table.select().where(table.c.position > after).order_by(table.c.position).limit(_PAGE)
            if kind is not None:
                query = query.where(table.c.kind == kind.value)
            with self._database.read() as connection:
                page = list(connection.execute(query).mappings())
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1]["position"]

    def entry_of(self, kind: LogKind, reference: str) -> LogEntry | None:
        """Return the latest leaf of a kind about something, None where there is none."""
        query = table.select().where(table.c.kind == kind.value, table.c.reference == reference)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(table.c.position.desc()).limit(1)).mappings().first()
        return _entry(row) if row else None

    def erasure_count(self) -> int:
        """Return how many erasures were recorded."""
        query = sa.select(sa.func.count()).select_from(table).where(table.c.kind == LogKind.ERASURE.value)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def verify(self) -> list[str]:
        """Return where the log and what it records differ, in words; empty when they agree."""
        broken: list[str] = []
        rankings_seen: dict[str, str] = {}
        for index, row in enumerate(self._rows()):
            if row["position"] != index:
                return [*broken, f"log: position {row['position']} where {index} belongs"]
            found = _broken_leaf(row)
            if found:
                broken.append(f"log entry {index} ({row['kind']} {row['reference']}): {found}")
            elif row["kind"] == LogKind.RANKING:
                rankings_seen[row["reference"]] = json.loads(row["content"])["record_digest"]
        with self._database.read() as connection:
            rows = connection.execute(sa.select(rankings.c.ranking_id, rankings.c.record_digest)).all()
        recorded = {name: digest for name, digest in rows}  # noqa: C416 - rows are no pairs to the type checker
        for name in sorted(recorded.keys() | rankings_seen.keys()):
            if name not in rankings_seen:
                broken.append(f"ranking {name}: recorded, but has no leaf in the log")
            elif recorded.get(name) != rankings_seen[name]:
                broken.append(f"ranking {name}: the log holds another record of it")
        return broken


def _broken_leaf(row: Any) -> str:
    """Return what is wrong with a leaf, in words; its row may hold anything."""
    if row["leaf_hash"] != leaf_hash(row["content"].encode()).hex():
        return "its content differs from its leaf"
    try:
        facts = json.loads(row["content"])
        told = (facts["kind"], facts["reference"])
    except (ValueError, TypeError, KeyError):
        return "its content cannot be read"
    return "" if told == (row["kind"], row["reference"]) else "its content is about something else"


def append_log(connection: sa.Connection, kind: LogKind, reference: str, facts: Mapping[str, Any]) -> LogEntry:
    """Append a leaf, within the transaction of what it records."""
    position = int(connection.execute(_LAST).scalar_one()) + 1
    content = canonical_json({**facts, "kind": kind.value, "reference": reference})
    entry = LogEntry(position, kind, reference, content, leaf_hash(content.encode()).hex())
    connection.execute(table.insert(), {**vars(entry), "kind": kind.value})
    return entry


def _entry(row: Any) -> LogEntry:
    try:
        return LogEntry(**{**row, "kind": LogKind(row["kind"])})
    except ValueError as error:
        raise _unreadable(row["position"]) from error


def _unreadable(position: int) -> CollectionsError:
    return refuse(Reason.INTEGRITY_FAILURE, "log", f"log entry {position} cannot be read.", "Restore the database from a backup.")
