"""Worklist entries say how many attempts are offered where a budget leaves fewer than the queue makes; 0 is all of them."""

import sqlalchemy as sa
from alembic import op

SMALL = sa.SmallInteger().with_variant(sa.Integer, "sqlite")

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column: entries of before were offered all attempts."""
    op.add_column("ranking_entries", sa.Column("attempts", SMALL, nullable=False, server_default="0"))
