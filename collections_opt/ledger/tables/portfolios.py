"""Imported portfolios, stored once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import sqlalchemy as sa

from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.listing import Order, Place, Term
from collections_opt.ledger.log.log import LogEntry, LogKind, append_log
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.records import PortfolioRecord
from collections_opt.ledger.requests.requests import unfinished
from collections_opt.ledger.store.database import Store, check_size, found, one
from collections_opt.ledger.store.ordering import conditions, ordered
from collections_opt.ledger.store.paging import every_row
from collections_opt.ledger.store.schema import log_entries, outcome_records, portfolios, rankings
from collections_opt.ledger.store.standing_portfolios import standing_portfolio

EXPIRES_ON = "expires_on"
"""Key of a portfolio's leaf: from which day it may be deleted with the others that expired."""


class Portfolios(Store):
    """Headers of portfolios; their accounts are objects, to be stored before."""

    def add(self, record: PortfolioRecord, actor: Actor = UNKNOWN, expires_on: date | None = None) -> PortfolioRecord:
        """Record an imported portfolio and who imported it; the same id with the same content is stored once, as the first's.

        Args:
            record: the portfolio.
            actor: who imported it.
            expires_on: from which day it may be deleted with the others that expired; None for one that never does.

        Raises:
            CollectionsError: ALREADY_EXISTS when the id holds other content or was deleted, INVALID_ARGUMENT when rows are lost.
        """
        if record.row_count != record.accepted_count + record.quarantined_count:
            raise refuse(Reason.INVALID_ARGUMENT, "row_count", "rows in are not accepted + quarantined.", "Count every row.")
        with self._database.write() as connection:
            stored = one(connection, portfolios, portfolios.c.portfolio_id == record.portfolio_id, PortfolioRecord)
            if stored is None:
                beside = {EXPIRES_ON: expires_on.isoformat()} if expires_on else {}
                insert_logged(connection, LogKind.PORTFOLIO, asdict(record), actor, beside)
            elif _deletion(connection, record.portfolio_id) is not None:
                told = f"{record.portfolio_id!r} was deleted."
                raise refuse(Reason.ALREADY_EXISTS, "portfolio_id", told, "Use a new id.")
        if stored is None:
            return record
        if (stored.digest, stored.row_count) != (record.digest, record.row_count):
            raise refuse(Reason.ALREADY_EXISTS, "portfolio_id", f"{record.portfolio_id!r} holds other accounts.", "Use a new id.")
        return stored

    def get(self, portfolio_id: str) -> PortfolioRecord:
        """Return a portfolio.

        Raises:
            CollectionsError: NOT_FOUND, of a deleted one too.
        """
        with self._database.read() as connection:
            stored = one(connection, portfolios, portfolios.c.portfolio_id == portfolio_id, PortfolioRecord)
            gone = stored is not None and _deletion(connection, portfolio_id) is not None
        if gone:
            raise refuse(Reason.NOT_FOUND, "portfolio_id", f"{portfolio_id!r} was deleted.", "Name another.", portfolio_id)
        return found(stored, "portfolio_id", portfolio_id)

    def delete(self, portfolio_id: str, facts: Mapping[str, Any]) -> tuple[PortfolioRecord, LogEntry]:
        """Record that a portfolio is deleted; its objects are for the caller to remove then. Deleted before, the first one stays.

        Raises:
            CollectionsError: NOT_FOUND; MUST_BE_KEPT where a ranking was made of it or is being made, or outcomes
                were told of it.
        """
        with self._database.write() as connection:
            record = one(connection, portfolios, portfolios.c.portfolio_id == portfolio_id, PortfolioRecord)
            record = found(record, "portfolio_id", portfolio_id)
            before = _deletion(connection, portfolio_id)
            if before is not None:
                return record, before
            resting = _resting(connection, portfolio_id)
            if resting:
                raise must_be_kept(portfolio_id, resting)
            return record, append_log(connection, LogKind.PORTFOLIO_DELETION, portfolio_id, facts)

    def deletion(self, portfolio_id: str) -> LogEntry | None:
        """Return the leaf that records a portfolio's deletion, None for one that stands."""
        with self._database.read() as connection:
            return _deletion(connection, portfolio_id)

    def resting(self, portfolio_id: str) -> str:
        """Return what of the records rests on a portfolio, in words; "" for nothing."""
        with self._database.read() as connection:
            return _resting(connection, portfolio_id)

    def after(self, after: str, size: int) -> list[PortfolioRecord]:
        """Return portfolios by id, after one ("" for all), at most ``size``."""
        query = portfolios.select().where(portfolios.c.portfolio_id > after, standing_portfolio())
        query = query.order_by(portfolios.c.portfolio_id).limit(check_size(size))
        with self._database.read() as connection:
            return [PortfolioRecord(**row) for row in connection.execute(query).mappings()]

    def listed(self, terms: Sequence[Term], order: Order, after: Place | None, size: int) -> list[tuple[PortfolioRecord, Place]]:
        """Return the portfolios that meet all terms with their places, in order, at most ``size``.

        Args:
            terms: on the fields that lists of portfolios have.
            order: by one of them; without a name, by id.
            after: the last place before; None for all.
            size: rows at most.
        """
        c = portfolios.c
        columns = {"portfolio_id": c.portfolio_id, "as_of_date": c.as_of_date, "create_time": c.created_at}
        columns |= {"currency_code": c.currency_code, "": c.portfolio_id}
        query = ordered(
            portfolios.select().where(standing_portfolio(), *conditions(terms, columns)), order, columns, c.portfolio_id, after
        )
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(query.limit(check_size(size))).mappings()]
        return [(PortfolioRecord(**row), (place, row["portfolio_id"])) for row in rows for place in [row.pop("place")]]

    def every(self) -> Iterator[PortfolioRecord]:
        """Yield all portfolios by id."""
        return every_row(self.after, "", lambda record: record.portfolio_id)

    def newest(self, size: int) -> list[PortfolioRecord]:
        """Return portfolios, the newest as-of date first, at most ``size``."""
        c = portfolios.c
        query = (
            portfolios.select()
            .where(standing_portfolio())
            .order_by(c.as_of_date.desc(), c.created_at.desc(), c.portfolio_id)
            .limit(check_size(size))
        )
        with self._database.read() as connection:
            return [PortfolioRecord(**row) for row in connection.execute(query).mappings()]


def must_be_kept(portfolio_id: str, resting: str) -> CollectionsError:
    """Return the refusal to delete a portfolio on which something rests."""
    told = f"{portfolio_id} must be kept: {resting}."
    remedy = "Erase accounts instead, once their retention has ended (collections-opt erase); the evidence stays."
    return refuse(Reason.MUST_BE_KEPT, "portfolio_id", told, remedy, portfolio_id)


def _deletion(connection: sa.Connection, portfolio_id: str) -> LogEntry | None:
    entry = log_entries.c
    of_it = (entry.kind == LogKind.PORTFOLIO_DELETION.value) & (entry.reference == portfolio_id)
    row = connection.execute(log_entries.select().where(of_it)).mappings().first()
    return LogEntry(**{**row, "kind": LogKind(row["kind"])}) if row else None


def _resting(connection: sa.Connection, portfolio_id: str) -> str:
    of_it = rankings.c.portfolio_id == portfolio_id
    ranking_id = connection.execute(sa.select(rankings.c.ranking_id).where(of_it).order_by(rankings.c.seq).limit(1)).scalar()
    if ranking_id:
        return f"ranking {ranking_id} rests on it"
    for request in unfinished(connection):
        if request.portfolio_id == portfolio_id:
            return f"ranking {request.ranking_id} of it is being made"
    outcome = outcome_records.c
    seq = connection.execute(sa.select(outcome.seq).where(outcome.portfolio_id == portfolio_id).limit(1)).scalar()
    return f"outcome record {seq} tells of its accounts" if seq else ""
