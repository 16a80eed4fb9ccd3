"""The trail of reads: who asked for data about accounts, what, and when; recorded before it is answered.

Each row holds the digest of itself and of the one before. Every hundredth, and at a start, the log gets a leaf with the count and
the last digest, so that a checkpoint covers the trail up to there.

One transaction keeps all notes that came while the last one ran: each still waits until its own is kept, so that a crash loses no
note of what was answered, and what it may leave behind is a note of a read that nobody was answered.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.ledger.log.chain import GENESIS, canonical_json
from collections_opt.ledger.log.log import LogEntry, LogKind, append_log
from collections_opt.ledger.store.database import Database, Store, check_size, timestamp
from collections_opt.ledger.store.schema import account_reads as table
from collections_opt.ledger.store.schema import log_entries
from collections_opt.ledger.store.together import Together

ANCHOR_EVERY = 100
"""Reads between two leaves of the log about them."""

_PAGE = 1_000
_HEAD = sa.select(table.c.seq, table.c.digest).order_by(table.c.seq.desc()).limit(1)


@dataclass(frozen=True)
class AccountRead:
    """One read: ``actor`` and ``subject`` are canonical JSON; ``digest`` chains it to the one before."""

    seq: int
    at: str
    actor: str
    method: str
    subject: str
    digest: str


@dataclass
class _Note:
    """A note that waits to be kept: ``row`` without number and digest."""

    row: dict[str, str]
    seq: int = 0


class Reads(Store):
    """Reads in order. Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._together: Together[_Note] = Together(self._keep)

    def record(self, method: str, actor: Actor, subject: Mapping[str, Any], now: datetime) -> int:
        """Record that somebody asked for data about accounts, and return its number once it is kept.

        Also for a ledger that takes no other writes: whoever may read it is noted.

        Raises:
            CollectionsError: as ``Database.write``, for all notes of a transaction; then nothing may be answered.
        """
        told = {"actor": canonical_json(actor.recorded()), "method": method, "subject": canonical_json(subject)}
        mine = _Note({"at": timestamp(now), **told})
        self._together.run(mine)
        return mine.seq

    def _keep(self, notes: list[_Note]) -> None:
        with self._database.write(despite_halt=True) as connection:
            self._insert(connection, notes)

    def _insert(self, connection: sa.Connection, notes: list[_Note]) -> None:
        seq, digest = _head(connection)
        rows: list[dict[str, Any]] = []
        anchor: tuple[int, str] | None = None
        for one in notes:
            seq += 1
            row = {"seq": seq, **one.row}
            digest = _digest(digest, row)
            rows.append({**row, "digest": digest})
            one.seq = seq
            if seq % ANCHOR_EVERY == 0:
                anchor = (seq, digest)
        connection.execute(table.insert(), rows)
        if anchor is not None and self._database.halted is None:
            _anchor(connection, *anchor)

    def anchor(self) -> LogEntry | None:
        """Let the log cover the trail as it stands; None where it does already."""
        with self._database.write() as connection:
            seq, digest = _head(connection)
            return _anchor(connection, seq, digest) if seq and seq != _anchored(connection) else None

    def after(self, seq: int, size: int) -> list[AccountRead]:
        """Return reads in order, after one (0 for all), at most ``size``."""
        query = table.select().where(table.c.seq > seq).order_by(table.c.seq).limit(check_size(size))
        with self._database.read() as connection:
            return [AccountRead(**row) for row in connection.execute(query).mappings()]

    def about(self, numbers: Collection[int], begins: str, ends: str) -> list[AccountRead]:
        """Return reads that name accounts by their key numbers, in order, from one instant on and before another (texts)."""
        wanted = set(numbers)
        query = table.select().where(table.c.at >= begins, table.c.at < ends, table.c.subject.like('%"key_numbers"%'))
        with self._database.read() as connection:
            found = [AccountRead(**row) for row in connection.execute(query.order_by(table.c.seq)).mappings()]
        return [read for read in found if wanted.intersection(json.loads(read.subject)["key_numbers"])]

    def verify(self, leaves: Mapping[int, str]) -> tuple[list[str], int]:
        """Return what is broken in the trail, in words, and how many reads there are.

        Args:
            leaves: the last digest by number, of every leaf of the log about reads.
        """
        broken: list[str] = []
        before, count, missing = GENESIS, 0, dict(leaves)
        while page := self.after(count, _PAGE):
            for read in page:
                count += 1
                row = {name: value for name, value in vars(read).items() if name != "digest"}
                if read.seq != count:
                    return [*broken, f"reads: event {read.seq} where {count} belongs"], count
                if read.digest != _digest(before, row):
                    broken.append(f"reads: event {read.seq} differs from its digest, or does not follow the one before")
                if missing.pop(read.seq, read.digest) != read.digest:
                    broken.append(f"reads: event {read.seq} is not the one in the log")
                before = read.digest
        return broken + [f"reads: event {seq} is in the log, but is gone" for seq in sorted(missing)], count


def reads_in_log(entries: list[LogEntry]) -> dict[int, str]:
    """Return the last digest by number, of leaves about reads."""
    return {int(entry.facts["count"]): str(entry.facts["digest"]) for entry in entries}


def _head(connection: sa.Connection) -> tuple[int, str]:
    row = connection.execute(_HEAD).first()
    return (int(row[0]), str(row[1])) if row else (0, GENESIS)


def _anchored(connection: sa.Connection) -> int:
    query = sa.select(log_entries.c.reference).where(log_entries.c.kind == LogKind.READS.value)
    last = connection.execute(query.order_by(log_entries.c.position.desc()).limit(1)).scalar()
    return int(last.removeprefix("reads/")) if last else 0


def _anchor(connection: sa.Connection, count: int, digest: str) -> LogEntry:
    return append_log(connection, LogKind.READS, f"reads/{count}", {"count": count, "digest": digest})


def _digest(before: str, row: Mapping[str, Any]) -> str:
    return digest_text(canonical_json({**row, "before": before}))
