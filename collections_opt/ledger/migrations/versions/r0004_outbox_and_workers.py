"""The outbox of state changes, who makes a ranking, and the indexes of look-ups by day and by request."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.schema import outbox_gap_statements, trigger_statements

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the outbox (STRICT on SQLite), the column and the indexes; steps made before have no worker."""
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "subject", "payload", "created_at")),
        sqlite_strict=True,
    )
    op.add_column("ranking_states", sa.Column("worker", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_portfolios_as_of_date", "portfolios", ["as_of_date"])
    op.create_index("ix_rankings_portfolio_id", "rankings", ["portfolio_id"])
    op.create_index("ix_ranking_requests_order", "ranking_requests", ["created_at", "ranking_id"])
    dialect = op.get_bind().dialect.name
    for statement in [*trigger_statements(dialect, ("outbox",)), *outbox_gap_statements(dialect)]:
        op.execute(statement)
