"""Which portfolios stand: those that nobody deleted; the rows of the others stay, for what their leaves say."""

from __future__ import annotations

import sqlalchemy as sa

from collections_opt.ledger.store.schema import log_entries, portfolios

PORTFOLIO_DELETION = "portfolio_deletion"
"""Kind of the leaf that records a deletion, under the portfolio's id."""


def standing_portfolio() -> sa.ColumnElement[bool]:
    """Return the condition that a portfolio was not deleted."""
    entry = log_entries.c
    told = sa.exists().where(entry.kind == PORTFOLIO_DELETION, entry.reference == portfolios.c.portfolio_id)
    return ~told.correlate(portfolios)
