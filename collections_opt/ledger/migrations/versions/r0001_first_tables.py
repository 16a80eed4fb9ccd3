"""Portfolios, capacity plans, rankings and their assigned entries, append-only from the first day."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.schema import FIRST_TABLES, UNIQUE, trigger_statements

# STRICT tables know INTEGER, which holds 64 bits, but not BIGINT.
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")

FIRST_KEYS = {**UNIQUE, "ranking_entries": (("ranking_id", "queue", "priority"),)}

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables (STRICT on SQLite) and their triggers."""
    strict = {"sqlite_strict": True}
    op.create_table(
        "portfolios",
        sa.Column("portfolio_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("as_of_date", "time_zone", "currency_code")),
        *(sa.Column(name, BIG, nullable=False) for name in ("row_count", "accepted_count", "quarantined_count")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("digest", "object_digest", "quarantine_digest", "created_at")),
        **strict,
    )
    op.create_table(
        "capacity_plans",
        sa.Column("plan_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("effective_from", "etag", "payload", "created_at")),
        **strict,
    )
    op.create_table(
        "rankings",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False, unique=True) for name in ("ranking_id", "request_id")),
        sa.Column("payload_digest", sa.Text, nullable=False),
        sa.Column("portfolio_id", sa.Text, sa.ForeignKey("portfolios.portfolio_id"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("record", "previous_digest", "record_digest", "created_at")),
        **strict,
    )
    op.create_table(
        "ranking_entries",
        sa.Column("ranking_id", sa.Text, sa.ForeignKey("rankings.ranking_id"), primary_key=True),
        sa.Column("queue", sa.Integer, primary_key=True),
        sa.Column("priority", sa.Integer, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in ("row_number", "increment_minor")),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("surplus_minor", BIG, nullable=False),
        # The rows live in the index of their key: a table beside it would hold every ranking id twice.
        sqlite_with_rowid=False,
        **strict,
    )
    op.create_index("ranking_entries_account", "ranking_entries", ["account_id", "ranking_id"])
    for statement in trigger_statements(op.get_bind().dialect.name, FIRST_TABLES, FIRST_KEYS):
        op.execute(statement)
