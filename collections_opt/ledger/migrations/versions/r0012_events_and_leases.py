"""Events of the day, sealed and append-only, and the leases that agents hold."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.gaps import day_statements
from collections_opt.ledger.store.schema import trigger_statements

revision = "0012"
down_revision = "0011"

UNIQUE = {"event_batches": (("first_sequence",),), "day_events": (("sequence",), ("id_digest",))}
LEASE_TEXTS = ("request_id", "ranking_id", "queue_id", "person", "holder", "holder_kind", "state")
LEASE_NUMBERS = ("account_no", "seconds", "leased_at", "expires_at", "ended_at")


def upgrade() -> None:
    """Create the tables (STRICT on SQLite), their triggers, and what keeps a lease the only one."""
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "event_batches",
        sa.Column("first_sequence", big, primary_key=True, autoincrement=False),
        sa.Column("event_count", sa.Integer, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "day_events",
        sa.Column("sequence", big, primary_key=True, autoincrement=False),
        sa.Column("id_digest", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, big, nullable=False) for name in ("account_no", "person_no", "recorded_at")),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("nonce", "sealed", "leaf")),
        sqlite_strict=True,
    )
    op.create_index("day_events_account", "day_events", ["account_no", "sequence"])
    op.create_index("day_events_person", "day_events", ["person_no", "sequence"])
    op.create_table(
        "leases",
        sa.Column("lease_id", sa.Text, primary_key=True),
        sa.Column("revision", big, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in LEASE_TEXTS),
        *(sa.Column(name, big, nullable=False) for name in LEASE_NUMBERS),
        sqlite_strict=True,
    )
    op.create_index("leases_request", "leases", ["request_id"])
    op.create_index("leases_ranking", "leases", ["ranking_id", "queue_id"])
    held = sa.text("state = 'HELD'")
    for column in ("account_no", "person"):
        name = f"leases_held_{column.removesuffix('_no')}"
        op.create_index(name, "leases", [column], unique=True, sqlite_where=held, postgresql_where=held)
    dialect = op.get_bind().dialect.name
    for statement in (*trigger_statements(dialect, tuple(UNIQUE), UNIQUE), *day_statements(dialect)):
        op.execute(statement)
