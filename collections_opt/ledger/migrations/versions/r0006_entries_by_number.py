"""Worklist entries name their ranking by its number: its id, twice in every row, was half of what they took."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.schema import erasable_statements, trigger_statements

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer, "sqlite")
COLUMNS = "increment_minor, surplus_minor, seq, priority, row_number, seconds, queue, account_id"

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Copy the entries into a narrower table (STRICT on SQLite) under the same guards and grants."""
    connection = op.get_bind()
    on_server = connection.dialect.name == "postgresql"
    grants = _grants(connection) if on_server else []
    op.rename_table("ranking_entries", "ranking_entries_by_id")
    if on_server:
        op.execute("ALTER INDEX ranking_entries_pkey RENAME TO ranking_entries_by_id_pkey")
    op.create_table(
        "ranking_entries",
        *(sa.Column(name, BIG, nullable=False) for name in ("increment_minor", "surplus_minor")),
        sa.Column("seq", sa.Integer, sa.ForeignKey("rankings.seq"), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("priority", "row_number", "seconds")),
        sa.Column("queue", SMALL, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", "queue", "priority"),
        # The rows live in the index of their key, not in a table beside it.
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.execute(
        f"INSERT INTO ranking_entries ({COLUMNS}) SELECT {COLUMNS} FROM ranking_entries_by_id "  # noqa: S608 - constants
        "JOIN rankings USING (ranking_id) ORDER BY seq, queue, priority"
    )
    op.drop_table("ranking_entries_by_id")
    op.create_index("ranking_entries_account", "ranking_entries", ["account_id"])
    dialect = connection.dialect.name
    for statement in [*trigger_statements(dialect, ("ranking_entries",)), *erasable_statements(dialect), *grants]:
        op.execute(statement)


def _grants(connection: sa.Connection) -> list[str]:
    """Return the statements that give what was granted on the entries again."""
    query = sa.text(
        "SELECT quote_ident(r.rolname), a.privilege_type FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r "
        "ON r.oid = a.grantee WHERE c.oid = 'ranking_entries'::regclass AND a.grantee <> c.relowner"
    )
    return [f"GRANT {privilege} ON ranking_entries TO {role}" for role, privilege in connection.execute(query)]
