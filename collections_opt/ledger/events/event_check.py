"""Events checked against the batches that the log names, and their clear columns against what was sealed."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from collections_opt.core.day.events import Event
from collections_opt.ledger.events.event_ids import is_digest_of
from collections_opt.ledger.events.event_texts import event_of
from collections_opt.ledger.events.sealed_rows import unseal_rows
from collections_opt.ledger.log.log import Log, LogKind
from collections_opt.ledger.log.merkle import HASH_BYTES, MerkleTree
from collections_opt.ledger.sealing.keystream import NONCE_BYTES
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.schema import day_events as table
from collections_opt.ledger.store.schema import event_batches as batches

ROWS_DIGEST = "rows_digest"
"""In the log's leaf of a batch: the digest over every column of its events. Batches of before it was kept have none."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BYTES = ("nonce", "sealed", "leaf")
_PAGE = 1_000
Rows = Sequence[Mapping[str, Any]]


def microseconds(instant: datetime) -> int:
    """Return an instant as it is stored with an event."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def rows_digest(rows: Rows) -> str:
    """Return the SHA-256 (hex) over every column of events, in order of their numbers."""
    return hashlib.sha256("".join(map(_row_text, rows)).encode()).hexdigest()


def _row_text(row: Mapping[str, Any]) -> str:
    """Return every column as canonical JSON, and a line's end; written out, for it is done for every event."""
    leaf, nonce, sealed = bytes(row["leaf"]).hex(), bytes(row["nonce"]).hex(), bytes(row["sealed"]).hex()
    return (
        f'{{"account_no":{row["account_no"]},"id_digest":{encode_basestring(row["id_digest"])},"leaf":"{leaf}","nonce":"{nonce}",'
        f'"person_no":{row["person_no"]},"recorded_at":{row["recorded_at"]},"sealed":"{sealed}","sequence":{row["sequence"]}}}\n'
    )


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
            expected = first + count
        for together in _together(stored):
            broken += self._broken_batches(together, told)
        with self._database.read() as connection:
            extra = connection.execute(sa.select(sa.func.count()).select_from(table).where(table.c.sequence >= expected)).scalar()
            before = connection.execute(sa.select(sa.func.count()).select_from(table).where(table.c.sequence < 1)).scalar()
        if extra or before:
            broken.append(f"events from {expected} on: {(extra or 0) + (before or 0)} belong to no batch")
        return broken

    def _broken_batches(self, together: Rows, told: Mapping[int, str | None]) -> list[str]:
        """Return what differs in batches that follow each other; most are small, so that their rows are read at once."""
        first, last = int(together[0]["first_sequence"]), together[-1]
        where = table.c.sequence.between(first, int(last["first_sequence"]) + int(last["event_count"]) - 1)
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(table.select().where(where).order_by(table.c.sequence)).mappings()]
        numbers = [int(row["sequence"]) for row in rows]
        whole: list[tuple[Mapping[str, Any], Rows]] = []
        broken: list[str] = []
        for batch in together:
            begins = int(batch["first_sequence"])
            ends = begins + int(batch["event_count"])
            mine = rows[bisect_left(numbers, begins) : bisect_left(numbers, ends)]
            if _is_whole(batch, mine):
                whole.append((batch, mine))
            else:
                broken.append(f"events {begins} to {ends - 1}: differ from their batch")
        kept = [row for _, its in whole for row in its]
        wrong: dict[int, list[str]] = {}
        for start in range(0, len(kept), _PAGE):
            wrong |= self._broken_rows(kept[start : start + _PAGE])
        for batch, its in whole:
            broken += self._broken_batch(batch, its, wrong, told.get(int(batch["first_sequence"])))
        return broken

    @staticmethod
    def _broken_batch(batch: Mapping[str, Any], rows: Rows, wrong: Mapping[int, list[str]], told: str | None) -> list[str]:
        first, count = int(batch["first_sequence"]), int(batch["event_count"])
        try:
            instant = microseconds(datetime.fromisoformat(batch["created_at"]))
        except ValueError:
            return [f"events {first} to {first + count - 1}: what their batch tells as its time is none"]
        broken = [f"event {row['sequence']} has another time than its batch" for row in rows if row["recorded_at"] != instant]
        broken += [line for row in rows for line in wrong.get(int(row["sequence"]), ())]
        if not broken and told is not None and rows_digest(rows) != told:
            broken.append(f"events {first} to {first + count - 1}: a column differs from what the log says of them")
        return broken

    def _broken_rows(self, rows: Rows) -> dict[int, list[str]]:
        """Return which events are not what their leaf says, or are kept under another number than their subject's."""
        accounts, persons = (np.array([row[name] for row in rows], dtype=np.int64) for name in ("account_no", "person_no"))
        numbers = np.where(accounts >= 0, accounts, persons)
        keys = self._keys.keys(numbers)
        broken: dict[int, list[str]] = defaultdict(list)
        for index in np.flatnonzero(~keys.any(axis=1)).tolist():
            if int(numbers[index]) not in self._erased:
                sequence = int(rows[index]["sequence"])
                line = f"event {sequence} is kept under key {numbers[index]}, which was neither given nor erased"
                broken[sequence].append(line)
        texts = self._texts(rows, keys, broken)
        opened = [(index, event) for index, text in enumerate(texts) if (event := event_of(text)) is not None]
        if not opened:
            return broken
        known = self._keys.known_numbers(np.array([self._name_of(event) for _, event in opened], dtype=np.bytes_))
        for place, (index, event) in enumerate(opened):
            row, number = rows[index], int(known[place])
            sequence = int(row["sequence"])
            mine = (number, -1) if event.account_id else (-1, number)
            if (row["account_no"], row["person_no"]) != mine:
                broken[sequence].append(f"event {sequence} is kept under another account or person than it concerns")
            if not is_digest_of(row["id_digest"], event.event_id):
                broken[sequence].append(f"event {sequence} is kept under another id")
        return broken

    @staticmethod
    def _texts(rows: Rows, keys: NDArray[np.uint8], broken: dict[int, list[str]]) -> list[str | None]:
        """Return the texts of events; None of those that are not what their leaf says, which are told."""
        nonces, sealed, leaves = ([bytes(row[name]) for row in rows] for name in _BYTES)
        left = keys.copy()
        while True:
            try:
                return unseal_rows(nonces, sealed, leaves, left)
            except ValueError as error:
                index = int(str(error))
                sequence = int(rows[index]["sequence"])
                broken[sequence].append(f"event {sequence} differs from its leaf")
                nonces[index] = bytes(NONCE_BYTES)
                left[index] = 0


def _together(stored: Rows) -> Iterator[Rows]:
    """Yield batches in groups of about a page of events."""
    held: list[Mapping[str, Any]] = []
    count = 0
    for batch in stored:
        held.append(batch)
        count += int(batch["event_count"])
        if count >= _PAGE:
            yield held
            held, count = [], 0
    if held:
        yield held


def _is_whole(batch: Mapping[str, Any], rows: Rows) -> bool:
    """Return whether the leaves of a batch's events make its root."""
    count = int(batch["event_count"])
    hashes = np.frombuffer(b"".join(bytes(row["leaf"]) for row in rows), dtype=np.uint8)
    if len(rows) != count or hashes.size != HASH_BYTES * count:
        return False
    return MerkleTree(hashes.reshape(-1, HASH_BYTES)).root.hex() == str(batch["root"])
