"""Who read data about accounts, append-only and chained."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.reads_schema import reads_statements
from collections_opt.ledger.store.schema import trigger_statements

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table (STRICT on SQLite) and its triggers."""
    op.create_table(
        "account_reads",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "actor", "method", "subject", "digest")),
        sqlite_strict=True,
    )
    dialect = op.get_bind().dialect.name
    for statement in (*trigger_statements(dialect, ("account_reads",)), *reads_statements(dialect)):
        op.execute(statement)
