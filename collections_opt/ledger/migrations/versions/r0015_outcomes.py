"""What became of accounts: files of outcomes, matured rankings and what monitors found, append-only."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.schema import trigger_statements

revision = "0015"
down_revision = "0014"

TEXTS = ("kind", "portfolio_id", "ranking_id", "object_digest", "payload", "created_at")


def upgrade() -> None:
    """Create the table (STRICT on SQLite) and its triggers."""
    op.create_table(
        "outcome_records",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS),
        sqlite_strict=True,
    )
    op.create_index("outcome_records_portfolio", "outcome_records", ["portfolio_id", "kind"])
    for statement in trigger_statements(op.get_bind().dialect.name, ("outcome_records",)):
        op.execute(statement)
