"""Which ranking was in force on a day."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import portfolios, rankings


class History(Store):
    """Rankings by the day they describe."""

    def in_force(self, day: date, size: int = 100) -> list[str]:
        """Return the ids of the rankings of the last day up to this one that has any, latest recorded first."""
        on_or_before = portfolios.c.as_of_date <= day.isoformat()
        joined = rankings.join(portfolios, portfolios.c.portfolio_id == rankings.c.portfolio_id)
        last = sa.select(sa.func.max(portfolios.c.as_of_date)).select_from(joined).where(on_or_before).scalar_subquery()
        query = sa.select(rankings.c.ranking_id).select_from(joined).where(portfolios.c.as_of_date == last)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(rankings.c.seq.desc()).limit(size)).scalars())

    def last_worked_on(self, account_id: str) -> date | None:
        """Return the as-of date of the last ranking that put an account into a worklist, None for one never worked."""
        query = sa.text(
            "SELECT MAX(p.as_of_date) FROM ranking_entries e JOIN rankings r ON r.seq = e.seq "
            "JOIN portfolios p ON p.portfolio_id = r.portfolio_id WHERE e.account_id = :account_id"
        )
        with self._database.read() as connection:
            found = connection.execute(query, {"account_id": account_id}).scalar()
        return date.fromisoformat(found) if found else None
