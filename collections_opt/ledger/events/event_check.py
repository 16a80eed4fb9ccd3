"""Events checked against the batches that the log names, and their clear columns against what was sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from collections_opt.core.day.events import Event
from collections_opt.ledger.events.event_ids import is_digest_of
from collections_opt.ledger.events.event_texts import event_of
from collections_opt.ledger.events.sealed_rows import unseal_rows
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.log import Log, LogKind
from collections_opt.ledger.log.merkle import HASH_BYTES, MerkleTree
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.schema import day_events as table
from collections_opt.ledger.store.schema import event_batches as batches

ROWS_DIGEST = "rows_digest"
"""In the log's leaf of a batch: the digest over every column of its events. Batches of before it was kept have none."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = ("sequence", "id_digest", "account_no", "person_no", "recorded_at")
_BYTES = ("nonce", "sealed", "leaf")
_PAGE = 1_000
Rows = Sequence[Mapping[str, Any]]


def microseconds(instant: datetime) -> int:
    """Return an instant as it is stored with an event."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def rows_digest(rows: Rows) -> str:
    """Return the SHA-256 (hex) over every column of events, in order of their numbers."""
    found = hashlib.sha256()
    for row in rows:
        told = {name: row[name] for name in _PLAIN} | {name: bytes(row[name]).hex() for name in _BYTES}
        found.update(canonical_json(told).encode() + b"\n")
    return found.hexdigest()


class EventCheck:
    """Finds events that are not what was recorded.

    Args:
        database: where they are.
        keys: the keys of accounts and persons.
        name_of: what an event's subject is called in the directory of keys.
        erased: numbers of keys whose erasure was recorded.
    """

    def __init__(self, database: Database, keys: SubjectKeys, name_of: Callable[[Event], bytes], erased: Collection[int]) -> None:
        self._database = database
        self._keys = keys
        self._name_of = name_of
        self._erased = frozenset(erased)

    def broken(self) -> list[str]:
        """Return where events differ from what was recorded of them, in words; empty when none does."""
        told = {int(entry.reference): entry.facts.get(ROWS_DIGEST) for entry in Log(self._database).entries(LogKind.EVENTS)}
        broken: list[str] = []
        expected = 1
        with self._database.read() as connection:
            stored = [dict(row) for row in connection.execute(batches.select().order_by(batches.c.first_sequence)).mappings()]
        for batch in stored:
            first, count = int(batch["first_sequence"]), int(batch["event_count"])
            if first != expected:
                broken.append(f"events {first} to {first + count - 1}: events from {expected} on belong there")
            broken += self._broken_batch(batch, told.get(first))
            expected = first + count
        with self._database.read() as connection:
            extra = connection.execute(sa.select(sa.func.count()).select_from(table).where(table.c.sequence >= expected)).scalar()
            before = connection.execute(sa.select(sa.func.count()).select_from(table).where(table.c.sequence < 1)).scalar()
        if extra or before:
            broken.append(f"events from {expected} on: {(extra or 0) + (before or 0)} belong to no batch")
        return broken

    def _broken_batch(self, batch: Mapping[str, Any], told: str | None) -> list[str]:
        first, count = int(batch["first_sequence"]), int(batch["event_count"])
        where = table.c.sequence.between(first, first + count - 1)
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(table.select().where(where).order_by(table.c.sequence)).mappings()]
        hashes = np.frombuffer(b"".join(bytes(row["leaf"]) for row in rows), dtype=np.uint8)
        whole = hashes.size == HASH_BYTES * count and MerkleTree(hashes.reshape(-1, HASH_BYTES)).root.hex() == batch["root"]
        if len(rows) != count or not whole:
            return [f"events {first} to {first + count - 1}: differ from their batch"]
        instant = microseconds(datetime.fromisoformat(batch["created_at"]))
        broken = [f"event {row['sequence']} has another time than its batch" for row in rows if row["recorded_at"] != instant]
        for start in range(0, len(rows), _PAGE):
            broken += self._broken_rows(rows[start : start + _PAGE])
        if not broken and told is not None and rows_digest(rows) != told:
            broken.append(f"events {first} to {first + count - 1}: a column differs from what the log says of them")
        return broken

    def _broken_rows(self, rows: Rows) -> list[str]:
        """Return which events are not what their leaf says, or stand under another number than their subject's."""
        accounts, persons = (np.array([row[name] for row in rows], dtype=np.int64) for name in ("account_no", "person_no"))
        numbers = np.where(accounts >= 0, accounts, persons)
        keys = self._keys.keys(numbers)
        gone = np.flatnonzero(~keys.any(axis=1))
        broken = [
            f"event {rows[index]['sequence']} is kept under key {numbers[index]}, which was neither given nor erased"
            for index in gone.tolist()
            if int(numbers[index]) not in self._erased
        ]
        nonces, sealed, leaves = ([bytes(row[name]) for row in rows] for name in _BYTES)
        try:
            texts = unseal_rows(nonces, sealed, leaves, keys)
        except ValueError as error:
            return [*broken, f"event {rows[int(str(error))]['sequence']} differs from its leaf"]
        opened = [(index, event) for index, text in enumerate(texts) if (event := event_of(text)) is not None]
        if not opened:
            return broken
        known = self._keys.known_numbers(np.array([self._name_of(event) for _, event in opened], dtype=np.bytes_))
        for place, (index, event) in enumerate(opened):
            row, number = rows[index], int(known[place])
            mine = (number, -1) if event.account_id else (-1, number)
            if (row["account_no"], row["person_no"]) != mine:
                broken.append(f"event {row['sequence']} is kept under another account or person than it concerns")
            if not is_digest_of(row["id_digest"], event.event_id):
                broken.append(f"event {row['sequence']} is kept under another id")
        return broken
