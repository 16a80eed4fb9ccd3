"""What people did to model versions, append-only."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.schema import model_event_statements, trigger_statements

revision = "0005"
down_revision = "0004"

TEXTS = ("kind", "version", "digest", "action", "actor", "mode", "note", "terms", "created_at")


def upgrade() -> None:
    """Create the table (STRICT on SQLite) and its triggers."""
    op.create_table(
        "model_events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS),
        sqlite_strict=True,
    )
    dialect = op.get_bind().dialect.name
    for statement in [*trigger_statements(dialect, ("model_events",)), *model_event_statements(dialect)]:
        op.execute(statement)
