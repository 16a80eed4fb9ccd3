"""The log over rankings and erasures, keys per account, and the one deletion that is allowed."""

import json

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.log.log import LogKind, append_log
from collections_opt.ledger.store.schema import erasable_statements, log_statements, trigger_statements
from collections_opt.ledger.tables.rankings import log_facts

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables and triggers; rankings made before get their leaves in order."""
    strict = {"sqlite_strict": True}
    op.create_table(
        "log_entries",
        sa.Column("position", BIG, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "reference", "content", "leaf_hash")),
        **strict,
    )
    op.create_index("log_entries_reference", "log_entries", ["kind", "reference"])
    for table, key, content in (("subject_key_blocks", "first_key_no", "keys"), ("subject_directory", "segment", "accounts")):
        op.create_table(
            table,
            sa.Column(key, BIG, primary_key=True, autoincrement=False),
            sa.Column(content, sa.LargeBinary, nullable=False),
            **strict,
        )
    op.create_table("erasure_permits", sa.Column("account_id", sa.Text, primary_key=True), **strict)
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT * FROM rankings ORDER BY seq")).mappings().all()
    for row in rows:
        append_log(connection, LogKind.RANKING, row["ranking_id"], log_facts(row, json.loads(row["record"])))
    dialect = connection.dialect.name
    triggers = trigger_statements(dialect, ("log_entries",))
    for statement in [*triggers, *log_statements(dialect), *erasable_statements(dialect)]:
        op.execute(statement)
