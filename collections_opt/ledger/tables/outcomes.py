"""What became of accounts: files of outcomes, rankings that matured, and what monitors found of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.records import OutcomeKind, OutcomeRecord
from collections_opt.ledger.store.database import Store, check_size, timestamp
from collections_opt.ledger.store.paging import every_row
from collections_opt.ledger.store.schema import outcome_records as table


class Outcomes(Store):
    """Records about outcomes, in order; rows of accounts are sealed objects that their payloads name, to be stored before."""

    def add(
        self,
        kind: OutcomeKind,
        portfolio_id: str,
        ranking_id: str,
        payload: Mapping[str, Any],
        object_digest: str,
        now: datetime,
        actor: Actor = UNKNOWN,
    ) -> OutcomeRecord:
        """Record what a file told, that a ranking matured, or what a monitor found.

        Args:
            kind: which of these.
            portfolio_id: whose accounts.
            ranking_id: the ranking, "" for a file.
            payload: what is said of it.
            object_digest: names the sealed rows, "" where there are none.
            now: the clock.
            actor: who did it.
        """
        with self._database.write() as connection:
            last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.seq), 0))).scalar_one()
            told = (object_digest, canonical_json(payload), timestamp(now))
            record = OutcomeRecord(int(last) + 1, kind, portfolio_id, ranking_id, *told)
            insert_logged(connection, LogKind.OUTCOME, {**vars(record), "kind": kind.value}, actor)
        return record

    def after(
        self, seq: int, size: int, kind: OutcomeKind | None = None, portfolio_id: str = "", ranking_id: str = ""
    ) -> list[OutcomeRecord]:
        """Return records in order, after one (0 for all), at most ``size``: of a kind, a portfolio, a ranking, or of all."""
        query = table.select().where(table.c.seq > seq).order_by(table.c.seq).limit(check_size(size))
        wanted = {"kind": kind.value if kind else "", "portfolio_id": portfolio_id, "ranking_id": ranking_id}
        for name, value in wanted.items():
            if value:
                query = query.where(table.c[name] == value)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def every(self, kind: OutcomeKind, portfolio_id: str = "") -> Iterator[OutcomeRecord]:
        """Yield all records of a kind in order, of a portfolio or of all."""
        return every_row(lambda seq, size: self.after(seq, size, kind, portfolio_id), 0, lambda record: record.seq)

    def latest(self, kind: OutcomeKind, size: int) -> list[OutcomeRecord]:
        """Return the latest records of a kind, the latest first, at most ``size``."""
        query = table.select().where(table.c.kind == kind.value).order_by(table.c.seq.desc()).limit(check_size(size))
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def last(self, kind: OutcomeKind, ranking_id: str = "") -> OutcomeRecord | None:
        """Return the latest record of a kind, of a ranking or of all; None where there is none."""
        query = table.select().where(table.c.kind == kind.value).order_by(table.c.seq.desc()).limit(1)
        if ranking_id:
            query = query.where(table.c.ranking_id == ranking_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return _record(row) if row else None


def _record(row: sa.RowMapping) -> OutcomeRecord:
    return OutcomeRecord(**{**row, "kind": OutcomeKind(row["kind"])})
