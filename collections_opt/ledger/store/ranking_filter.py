"""Which rankings a list shows: of a portfolio, of a desk, of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from collections_opt.ledger.store.schema import portfolios
from collections_opt.ledger.store.scoping import plan_of


@dataclass(frozen=True)
class RankingFilter:
    """Rankings of this portfolio, this capacity plan and this as-of date; what is empty limits nothing."""

    portfolio_id: str = ""
    plan_id: str = ""
    as_of_date: date | None = None

    def conditions(self, portfolio_id: Any, settled: Any, dialect: str) -> list[sa.ColumnElement[bool]]:
        """Return what a row must meet.

        Args:
            portfolio_id: the column with the portfolio's id.
            settled: the column with the record or the request, as JSON.
            dialect: of the database.
        """
        found: list[sa.ColumnElement[bool]] = []
        if self.portfolio_id:
            found.append(portfolio_id == self.portfolio_id)
        if self.plan_id:
            found.append(plan_of(settled, dialect) == self.plan_id)
        if self.as_of_date:
            of_day = sa.select(portfolios.c.portfolio_id).where(portfolios.c.as_of_date == self.as_of_date.isoformat())
            found.append(portfolio_id.in_(of_day))
        return found


EVERY = RankingFilter()
"""Limits nothing."""
