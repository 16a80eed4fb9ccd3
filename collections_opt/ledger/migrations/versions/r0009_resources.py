"""Versioned resources and their approvals, append-only."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.schema import trigger_statements

revision = "0009"
down_revision = "0008"

TABLES = {
    "resource_versions": ("effective_from", "content", "digest", "etag", "note", "saved_by", "created_at"),
    "resource_approvals": ("digest", "mode", "note", "approved_by", "created_at"),
}


def upgrade() -> None:
    """Create the tables (STRICT on SQLite) and their triggers."""
    for name, texts in TABLES.items():
        op.create_table(
            name,
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("resource_id", sa.Text, nullable=False),
            sa.Column("version", sa.Integer, nullable=False),
            *(sa.Column(text, sa.Text, nullable=False) for text in texts),
            sa.PrimaryKeyConstraint("kind", "resource_id", "version"),
            sqlite_strict=True,
        )
    for statement in trigger_statements(op.get_bind().dialect.name, tuple(TABLES)):
        op.execute(statement)
