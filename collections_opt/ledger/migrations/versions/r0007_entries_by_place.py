"""PostgreSQL finds worklist entries by keys that many places share: a key of each one's own was a fifth of what they took."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Replace the key of the entries by an index of shared keys; SQLite keeps its key, which is the table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE ranking_entries DROP CONSTRAINT ranking_entries_pkey")
        op.execute("CREATE INDEX ranking_entries_place ON ranking_entries (seq, queue, (priority / 256))")
