"""Worklist entries say between which minutes of the day to contact an account; -1 is not known."""

import sqlalchemy as sa
from alembic import op

SMALL = sa.SmallInteger().with_variant(sa.Integer, "sqlite")

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the columns: the plans of before said nothing of hours."""
    for name in ("call_from", "call_until"):
        op.add_column("ranking_entries", sa.Column(name, SMALL, nullable=False, server_default="-1"))
