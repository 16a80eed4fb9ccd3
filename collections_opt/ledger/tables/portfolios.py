"""Imported portfolios, stored once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.listing import Order, Place, Term
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.records import PortfolioRecord
from collections_opt.ledger.store.database import Store, check_size, found, one
from collections_opt.ledger.store.ordering import conditions, ordered
from collections_opt.ledger.store.paging import every_row
from collections_opt.ledger.store.schema import portfolios


class Portfolios(Store):
    """Headers of portfolios; their accounts are objects, to be stored before."""

    def add(self, record: PortfolioRecord, actor: Actor = UNKNOWN) -> PortfolioRecord:
        """Record an imported portfolio and who imported it; the same id with the same content is stored once, as the first's.

        Raises:
            CollectionsError: ALREADY_EXISTS when the id holds other content, INVALID_ARGUMENT when rows are lost.
        """
        if record.row_count != record.accepted_count + record.quarantined_count:
            raise refuse(Reason.INVALID_ARGUMENT, "row_count", "rows in are not accepted + quarantined.", "Count every row.")
        with self._database.write() as connection:
            stored = one(connection, portfolios, portfolios.c.portfolio_id == record.portfolio_id, PortfolioRecord)
            if stored is None:
                insert_logged(connection, LogKind.PORTFOLIO, asdict(record), actor)
        if stored is None:
            return record
        if (stored.digest, stored.row_count) != (record.digest, record.row_count):
            raise refuse(Reason.ALREADY_EXISTS, "portfolio_id", f"{record.portfolio_id!r} holds other accounts.", "Use a new id.")
        return stored

    def get(self, portfolio_id: str) -> PortfolioRecord:
        """Return a portfolio.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        with self._database.read() as connection:
            stored = one(connection, portfolios, portfolios.c.portfolio_id == portfolio_id, PortfolioRecord)
        return found(stored, "portfolio_id", portfolio_id)

    def after(self, after: str, size: int) -> list[PortfolioRecord]:
        """Return portfolios by id, after one ("" for all), at most ``size``."""
        query = portfolios.select().where(portfolios.c.portfolio_id > after).order_by(portfolios.c.portfolio_id)
        with self._database.read() as connection:
            return [PortfolioRecord(**row) for row in connection.execute(query.limit(check_size(size))).mappings()]

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
        query = ordered(portfolios.select().where(*conditions(terms, columns)), order, columns, c.portfolio_id, after)
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(query.limit(check_size(size))).mappings()]
        return [(PortfolioRecord(**row), (place, row["portfolio_id"])) for row in rows for place in [row.pop("place")]]

    def every(self) -> Iterator[PortfolioRecord]:
        """Yield all portfolios by id."""
        return every_row(self.after, "", lambda record: record.portfolio_id)

    def newest(self, size: int) -> list[PortfolioRecord]:
        """Return portfolios, the newest as-of date first, at most ``size``."""
        c = portfolios.c
        query = portfolios.select().order_by(c.as_of_date.desc(), c.created_at.desc(), c.portfolio_id).limit(check_size(size))
        with self._database.read() as connection:
            return [PortfolioRecord(**row) for row in connection.execute(query).mappings()]
