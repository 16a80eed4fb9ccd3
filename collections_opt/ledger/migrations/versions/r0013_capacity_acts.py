"""Acts on the calendar of a capacity plan, append-only."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.schema import trigger_statements

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table (STRICT on SQLite) and its triggers."""
    op.create_table(
        "capacity_acts",
        sa.Column("plan_id", sa.Text, nullable=False),
        sa.Column("act", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("first_day", sa.Text, nullable=False),
        sa.Column("last_day", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "act"),
        sqlite_strict=True,
    )
    for statement in trigger_statements(op.get_bind().dialect.name, ("capacity_acts",)):
        op.execute(statement)
