"""Rankings: one transaction makes one exist, with its place in the chain, its worklists and its state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.listing import Order, Place, Term
from collections_opt.core.ranking.ranking import Entries
from collections_opt.ledger.log.chain import canonical_json, chain_digest, head
from collections_opt.ledger.log.log import LogKind, append_log
from collections_opt.ledger.records import PortfolioRecord, RankingRecord, RankingState, RequestedRanking
from collections_opt.ledger.requests.lives import broken_life, life_digest
from collections_opt.ledger.requests.requests import insert_state, request_where
from collections_opt.ledger.sealing.erased import worklists_digest_after_erasures
from collections_opt.ledger.store.database import Store, check_size, found, one, reused, timestamp
from collections_opt.ledger.store.ordering import conditions, ordered, ranking_columns
from collections_opt.ledger.store.paging import every_row
from collections_opt.ledger.store.schema import portfolios, ranking_requests, rankings
from collections_opt.ledger.tables.worklists import AssignedColumns

LEDGER_KEY = "ledger"
"""Key of the record that the ledger adds: digests of what it keeps outside the chained row."""

_NEWEST = sa.select(rankings.c.ranking_id).order_by(rankings.c.seq.desc()).limit(1)


class Rankings(Store):
    """Finished rankings."""

    def find_request(self, request_id: str, payload_digest: str) -> RankingRecord | None:
        """Return the ranking that a request already made, None while it made none.

        Raises:
            CollectionsError: REQUEST_ID_REUSED when the request id came with another payload.
        """
        with self._database.read() as connection:
            request = request_where(connection, ranking_requests.c.request_id == request_id)
            if request is not None and request.payload_digest != payload_digest:
                raise reused(request_id)
            return _ranking(connection, rankings.c.request_id == request_id)

    def complete(self, ranking_id: str, record: Mapping[str, Any], entries: Entries, now: datetime) -> RankingRecord:
        """Record the ranking that was begun, its worklists and SUCCEEDED in one transaction; its objects must be stored before.

        Completing it again returns what was recorded first.

        Raises:
            CollectionsError: NOT_FOUND when it was never begun, RANKING_ABANDONED when it was abandoned meanwhile,
                INVALID_ARGUMENT when the record uses the ledger's own key or two accounts have one place, OUTCOME_UNKNOWN when
                the commit failed (complete it again).
            TypeError: for floats in the record.
        """
        assigned, created_at = _prepared(record, entries), timestamp(now)
        with self._database.write() as connection:
            request = found(request_where(connection, ranking_requests.c.ranking_id == ranking_id), "ranking_id", ranking_id)
            return _complete(connection, request, record, assigned, created_at)

    def get(self, ranking_id: str) -> RankingRecord:
        """Return a finished ranking.

        Raises:
            CollectionsError: NOT_FOUND, or INTEGRITY_FAILURE when its content differs from its digest (as every read).
        """
        with self._database.read() as connection:
            return found(_ranking(connection, rankings.c.ranking_id == ranking_id), "ranking_id", ranking_id)

    def before(self, seq: int | None, size: int) -> list[RankingRecord]:
        """Return rankings, newest first, before a sequence number (None for all), at most ``size``."""
        query = rankings.select().order_by(rankings.c.seq.desc()).limit(check_size(size))
        if seq is not None:
            query = query.where(rankings.c.seq < seq)
        with self._database.read() as connection:
            return [_as_ranking(row) for row in connection.execute(query).mappings()]

    def newest_id(self) -> str:
        """Return the id of the ranking that was recorded last, "" for none."""
        with self._database.read() as connection:
            return str(connection.execute(_NEWEST).scalar() or "")

    def listed(self, terms: Sequence[Term], order: Order, after: Place | None, size: int) -> list[tuple[RankingRecord, Place]]:
        """Return the rankings that meet all terms with their places, in order, at most ``size``.

        Args:
            terms: on the fields of ``ranking_columns``.
            order: by one of them; without a name, the newest first.
            after: the last place before; None for all.
            size: rows at most.
        """
        columns = {**ranking_columns(rankings.c, rankings.c.record, self._database.dialect), "": rankings.c.seq}
        query = sa.select(rankings).join(portfolios, portfolios.c.portfolio_id == rankings.c.portfolio_id)
        by = order if order.name else Order(descending=True)
        query = ordered(query.where(*conditions(terms, columns)), by, columns, rankings.c.seq, after)
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(query.limit(check_size(size))).mappings()]
        return [(_as_ranking(row), (place, row["seq"])) for row in rows for place in [row.pop("place")]]

    def newest_first(self) -> Iterator[RankingRecord]:
        """Yield all rankings, newest first."""
        return every_row(self.before, None, lambda record: record.seq)

    def by_day(self, day: date | None, after: tuple[str, int] | None, size: int) -> list[RankingRecord]:
        """Return rankings by as-of date, newest day first and on each day newest first, at most ``size``.

        Args:
            day: of this as-of date alone; None for every day.
            after: as-of date (ISO) and sequence number of the last one read; None for the first page.
            size: rows at most.
        """
        as_of = portfolios.c.as_of_date
        query = sa.select(rankings).join(portfolios, portfolios.c.portfolio_id == rankings.c.portfolio_id)
        if day is not None:
            query = query.where(as_of == day.isoformat())
        if after is not None:
            query = query.where((as_of < after[0]) | ((as_of == after[0]) & (rankings.c.seq < after[1])))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(as_of.desc(), rankings.c.seq.desc()).limit(check_size(size))).mappings()
            return [_as_ranking(row) for row in rows]

    def verify(self, ranking_id: str) -> list[str]:
        """Return how a ranking, its worklists or its portfolio's header differ from the record's digests; empty when they hold.

        Objects are checked by reading them.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        with self._database.read() as connection:
            row = connection.execute(rankings.select().where(rankings.c.ranking_id == ranking_id)).mappings().first()
            stored = found(row, "ranking_id", ranking_id)
            if stored["record_digest"] != chain_digest(stored):
                return ["its content differs from its digest"]
            kept = json.loads(stored["record"]).get(LEDGER_KEY)
            if kept is None:
                return ["its record has no digests of worklists and portfolio (made by an older version)"]
            broken = []
            expected = worklists_digest_after_erasures(connection, ranking_id) or kept["worklists_digest"]
            if AssignedColumns.stored(connection, stored["seq"]).digest != expected:
                broken.append("its worklists differ from their digest")
            if _portfolio_digest(connection, stored["portfolio_id"]) != kept["portfolio_record_digest"]:
                broken.append(f"the header of portfolio {stored['portfolio_id']} differs from its digest")
            broken += broken_life(connection, stored, kept.get("life_digest"))
        return broken


def _prepared(record: Mapping[str, Any], entries: Entries) -> AssignedColumns:
    """Check and prepare what a transaction will hold, before the database is locked."""
    if LEDGER_KEY in record:
        raise refuse(Reason.INVALID_ARGUMENT, "record", f"{LEDGER_KEY!r} is the ledger's own key.", "Use another key.")
    canonical_json(record)
    assigned = AssignedColumns.of_entries(entries)
    assigned.check_places()
    return assigned


def _complete(
    connection: sa.Connection,
    request: RequestedRanking,
    record: Mapping[str, Any],
    assigned: AssignedColumns,
    created_at: str,
) -> RankingRecord:
    stored = _ranking(connection, rankings.c.ranking_id == request.ranking_id)
    if stored is not None:
        return stored
    last = head(connection)
    kept = {
        "worklists_digest": assigned.digest,
        "portfolio_record_digest": _portfolio_digest(connection, request.portfolio_id),
        "life_digest": life_digest(connection, request.ranking_id, request.latest.step),
    }
    text = canonical_json({**record, LEDGER_KEY: kept})
    values = {
        "seq": last.seq + 1,
        "ranking_id": request.ranking_id,
        "request_id": request.request_id,
        "payload_digest": request.payload_digest,
        "portfolio_id": request.portfolio_id,
        "record": text,
        "previous_digest": last.record_digest,
        "created_at": created_at,
    }
    values["record_digest"] = chain_digest(values)
    connection.execute(rankings.insert(), values)
    assigned.insert(connection, last.seq + 1)
    append_log(connection, LogKind.RANKING, request.ranking_id, log_facts(values, record))
    told = {"seq": values["seq"], "record_digest": values["record_digest"]}
    insert_state(connection, request.ranking_id, RankingState.SUCCEEDED, "", created_at, "", told)
    return _as_ranking(values)


def log_facts(row: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the log's leaf says about a ranking: its row's digest, and the root over its accounts where it has one."""
    return {"record_digest": row["record_digest"], "seq": row["seq"], "leaves": dict(record.get("leaves", {}))}


def _portfolio_digest(connection: sa.Connection, portfolio_id: str) -> str:
    record = one(connection, portfolios, portfolios.c.portfolio_id == portfolio_id, PortfolioRecord)
    return digest_text(canonical_json(asdict(record))) if record else ""


def _ranking(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> RankingRecord | None:
    row = connection.execute(rankings.select().where(condition)).mappings().first()
    return _as_ranking(row) if row else None


def _as_ranking(row: Any) -> RankingRecord:
    """Return a row as a record; a row that is not what was written is never handed out."""
    if row["record_digest"] != chain_digest(row):
        raise refuse(
            Reason.INTEGRITY_FAILURE,
            "ranking_id",
            f"the content of {row['ranking_id']} differs from its digest.",
            "Verify the chain and restore the database.",
        )
    return RankingRecord(**{**row, "record": json.loads(row["record"])})
