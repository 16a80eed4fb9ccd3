"""Tables of what people did to a plan's calendar, and of what became of accounts: each row under a leaf of the log."""

from __future__ import annotations

import sqlalchemy as sa

OUTCOME_TEXTS = ("kind", "portfolio_id", "ranking_id", "object_digest", "payload", "created_at")


def acts_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """Add the tables of acts on calendars and of outcomes; return both."""
    acts = sa.Table(
        "capacity_acts",
        metadata,
        sa.Column("plan_id", sa.Text, primary_key=True),
        sa.Column("act", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("first_day", "last_day", "payload", "created_at")),
    )
    outcomes = sa.Table(
        "outcome_records",
        metadata,
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in OUTCOME_TEXTS),
        sa.Index("outcome_records_portfolio", "portfolio_id", "kind"),
    )
    return acts, outcomes
