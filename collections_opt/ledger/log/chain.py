"""The hash chain over rankings: canonical bytes without floats, each record holding the digest of the one before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from collections_opt.core.arrays import digest_text
from collections_opt.ledger.records import ChainHead
from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import rankings

GENESIS = "0" * 64
"""Previous digest of the first ranking."""

_CHAINED = ("seq", "ranking_id", "request_id", "payload_digest", "portfolio_id", "record", "previous_digest", "created_at")
_PAGE = 1_000
_BEFORE_ALL = -(2**63)


class Chain(Store):
    """The order of rankings, provable."""

    def head(self) -> ChainHead:
        """Return the last ranking, to be kept outside the database as a checkpoint."""
        with self._database.read() as connection:
            return head(connection)

    def last_recorded_at(self) -> str:
        """Return when the last ranking was recorded, ISO 8601 in UTC; "" for none."""
        query = sa.select(rankings.c.created_at).order_by(rankings.c.seq.desc()).limit(1)
        with self._database.read() as connection:
            return str(connection.execute(query).scalar() or "")

    def verify(self, checkpoint: ChainHead | None = None) -> list[str]:
        """Return what is broken in the chain of rankings, in words; empty when it holds.

        Args:
            checkpoint: a head kept elsewhere; the chain must still contain it, which shows a cut tail or a rewritten chain.
        """
        broken: list[str] = []
        at, seen = ChainHead(0, GENESIS), checkpoint is None or checkpoint == ChainHead(0, GENESIS)
        after = _BEFORE_ALL
        while rows := self._page(after):
            after = rows[-1]["seq"]
            for row in rows:
                broken += _breaks(row, at)
                at = ChainHead(row["seq"], row["record_digest"])
                seen = seen or at == checkpoint
        if not seen and checkpoint is not None:
            broken.append(f"checkpoint {checkpoint.seq}: the chain does not contain it (tail cut or history rewritten)")
        return broken

    def _page(self, after: int) -> list[Any]:
        """Return rows in order; a page per transaction, so that checking a long chain never holds up writers."""
        query = rankings.select().where(rankings.c.seq > after).order_by(rankings.c.seq).limit(_PAGE)
        with self._database.read() as connection:
            return list(connection.execute(query).mappings())


def head(connection: sa.Connection) -> ChainHead:
    """Return the last ranking, within a transaction."""
    query = sa.select(rankings.c.seq, rankings.c.record_digest).order_by(rankings.c.seq.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return ChainHead(**row) if row else ChainHead(0, GENESIS)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def chain_digest(row: Any) -> str:
    """Return the SHA-256 (hex) of a ranking row's content and its predecessor's digest."""
    return digest_text(json.dumps([str(row[name]) for name in _CHAINED], ensure_ascii=False, separators=(",", ":")))


def canonical_json(content: Mapping[str, Any]) -> str:
    """Return sorted, compact JSON.

    Raises:
        TypeError: for floats, whose text is no stable evidence.
    """

    _refuse_floats(content)
    return _CANONICAL.encode(content)


def _refuse_floats(value: Any) -> None:
    for child in value.values() if isinstance(value, Mapping) else value:
        if isinstance(child, (str, int)):  # nearly all there is
            continue
        if isinstance(child, float):
            raise TypeError(f"records hold no floats, got {child!r}")
        if isinstance(child, (Mapping, list, tuple)):
            _refuse_floats(child)


def _breaks(row: Any, before: ChainHead) -> list[str]:
    name, broken = f"ranking {row['ranking_id']}", []
    if row["seq"] != before.seq + 1:
        broken.append(f"{name}: sequence {row['seq']} where {before.seq + 1} belongs")
    if row["previous_digest"] != before.record_digest:
        broken.append(f"{name}: does not follow the one before it")
    if row["record_digest"] != chain_digest(row):
        broken.append(f"{name}: its content differs from its digest")
    return broken
