"""The tables, and the triggers that make them append-only in the database itself."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from collections_opt.ledger.store.acts_schema import acts_tables
from collections_opt.ledger.store.day_schema import day_tables
from collections_opt.ledger.store.gaps import postgres_gap
from collections_opt.ledger.store.reads_schema import reads_table

metadata = sa.MetaData()

portfolios = sa.Table(
    "portfolios",
    metadata,
    sa.Column("portfolio_id", sa.Text, primary_key=True),
    sa.Column("as_of_date", sa.Text, nullable=False, index=True),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("currency_code", sa.Text, nullable=False),
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("accepted_count", sa.BigInteger, nullable=False),
    sa.Column("quarantined_count", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("object_digest", sa.Text, nullable=False),
    sa.Column("quarantine_digest", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

capacity_plans = sa.Table(
    "capacity_plans",
    metadata,
    sa.Column("plan_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("effective_from", sa.Text, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

rankings = sa.Table(
    "rankings",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("ranking_id", sa.Text, nullable=False, unique=True),
    sa.Column("request_id", sa.Text, nullable=False, unique=True),
    sa.Column("payload_digest", sa.Text, nullable=False),
    sa.Column("portfolio_id", sa.Text, sa.ForeignKey("portfolios.portfolio_id"), nullable=False, index=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("previous_digest", sa.Text, nullable=False),
    sa.Column("record_digest", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

PLACES_PER_KEY = 256
entries_place = sa.literal_column(f"(priority / {PLACES_PER_KEY})", sa.Integer)
"""What an index of worklists holds on PostgreSQL in place of a priority."""

ranking_entries = sa.Table(
    "ranking_entries",
    metadata,
    # Widest first: PostgreSQL pads every column to its own width. The key is declared below, in its order.
    sa.Column("increment_minor", sa.BigInteger, nullable=False),
    sa.Column("surplus_minor", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.Integer, sa.ForeignKey("rankings.seq"), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("row_number", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Column("queue", sa.SmallInteger, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("call_from", sa.SmallInteger, nullable=False, server_default="-1"),
    sa.Column("call_until", sa.SmallInteger, nullable=False, server_default="-1"),
    # On SQLite the table itself; PostgreSQL would keep it beside the table, a third of what an entry takes (migration 0007).
    sa.PrimaryKeyConstraint("seq", "queue", "priority"),
    # PostgreSQL keeps equal keys once: a key for many places takes a fifth of one for each.
    sa.Index("ranking_entries_place", "seq", "queue", entries_place).ddl_if(dialect="postgresql"),
    # Of the account alone: PostgreSQL then keeps an account once, however many rankings worked it; SQLite adds the key itself.
    sa.Index("ranking_entries_account", "account_id"),
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("digest", "manifest", "created_at")),
)

ranking_requests = sa.Table(
    "ranking_requests",
    metadata,
    sa.Column("ranking_id", sa.Text, primary_key=True),
    sa.Column("request_id", sa.Text, nullable=False, unique=True),
    sa.Column("payload_digest", sa.Text, nullable=False),
    sa.Column("portfolio_id", sa.Text, sa.ForeignKey("portfolios.portfolio_id"), nullable=False),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Index("ix_ranking_requests_order", "created_at", "ranking_id"),
)

ranking_states = sa.Table(
    "ranking_states",
    metadata,
    sa.Column("ranking_id", sa.Text, sa.ForeignKey("ranking_requests.ranking_id"), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("worker", sa.Text, nullable=False, server_default=""),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("request_id", sa.Text, primary_key=True),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("payload_digest", sa.Text, nullable=False),
    sa.Column("response", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

log_entries = sa.Table(
    "log_entries",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("leaf_hash", sa.Text, nullable=False),
    sa.Index("log_entries_reference", "kind", "reference"),
)

# The only tables in which anything is overwritten or deleted: that is how erasure works.
subject_key_blocks = sa.Table(
    "subject_key_blocks",
    metadata,
    sa.Column("first_key_no", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("keys", sa.LargeBinary, nullable=False),
)

subject_directory = sa.Table(
    "subject_directory",
    metadata,
    sa.Column("segment", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("accounts", sa.LargeBinary, nullable=False),
)

erasure_permits = sa.Table("erasure_permits", metadata, sa.Column("account_id", sa.Text, primary_key=True))

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

model_events = sa.Table(
    "model_events",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("terms", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
)

resource_versions = sa.Table(
    "resource_versions",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("resource_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    *(
        sa.Column(name, sa.Text, nullable=False)
        for name in ("effective_from", "content", "digest", "etag", "note", "saved_by", "created_at")
    ),
)

resource_approvals = sa.Table(
    "resource_approvals",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("resource_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("digest", "mode", "note", "approved_by", "created_at")),
)

event_batches, day_events, leases = day_tables(metadata)
account_reads = reads_table(metadata)
capacity_acts, outcome_records = acts_tables(metadata)

Keys = Mapping[str, tuple[tuple[str, ...], ...]]
"""Columns by table that no two rows share."""

UNIQUE: Keys = {
    "portfolios": (("portfolio_id",),),
    "capacity_plans": (("plan_id", "version"),),
    "rankings": (("seq",), ("ranking_id",), ("request_id",)),
    "ranking_entries": (("seq", "queue", "priority"),),
    "models": (("kind", "version"),),
    "ranking_requests": (("ranking_id",), ("request_id",)),
    "ranking_states": (("ranking_id", "step"),),
    "idempotency_keys": (("request_id",),),
    "log_entries": (("position",),),
    "outbox": (("seq",),),
    "model_events": (("seq",),),
    "resource_versions": (("kind", "resource_id", "version"),),
    "resource_approvals": (("kind", "resource_id", "version"),),
    "event_batches": (("first_sequence",),),
    "day_events": (("sequence",), ("id_digest",)),
    "capacity_acts": (("plan_id", "act"),),
    "account_reads": (("seq",),),
    "outcome_records": (("seq",),),
}
FIRST_TABLES = ("portfolios", "capacity_plans", "rankings", "ranking_entries")
APPEND_ONLY = tuple(UNIQUE)
OVERWRITTEN = ("subject_key_blocks", "subject_directory", "erasure_permits")
CHANGING = ("leases",)
"""Rows that live: what a lease ends in is an event, which does not change."""


def trigger_statements(dialect: str, tables: tuple[str, ...], unique: Keys = UNIQUE) -> list[str]:
    """Return the statements that refuse UPDATE, DELETE, INSERT OR REPLACE (SQLite) and TRUNCATE (PostgreSQL) on tables."""
    if dialect == "sqlite":
        return [statement for table in tables for statement in _sqlite_triggers(table, unique)]
    refuse = (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    statements = [refuse]
    for table in tables:
        statements += [
            f"CREATE TRIGGER {table}_row BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f"CREATE TRIGGER {table}_all BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
            # ENABLE ALWAYS: session_replication_role would otherwise switch them off.
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_row",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_all",
        ]
    return statements


def _sqlite_triggers(table: str, unique: Keys) -> list[str]:
    abort = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    clashes = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{key} = NEW.{key}' for key in group)})"  # noqa: S608 - constants
        for group in unique[table]
    )
    statements = [
        f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {abort}",
        f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {abort}",
        # INSERT OR REPLACE deletes without firing delete triggers; it must not find a row to replace.
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {clashes} {abort}",
    ]
    if table == "rankings":
        gap = f"NEW.seq <> 1 + (SELECT COALESCE(MAX(seq), 0) FROM {table})"  # noqa: S608 - constants
        statements.append(f"CREATE TRIGGER {table}_gap BEFORE INSERT ON {table} WHEN {gap} {abort}")
    return statements


def outbox_gap_statements(dialect: str) -> list[str]:
    """Return the statements that refuse a gap in the sequence of events: a reader that asks "after n" misses none."""
    last = "(SELECT COALESCE(MAX(seq), 0) FROM outbox)"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER outbox_gap BEFORE INSERT ON outbox WHEN NEW.seq <> 1 + {last} "
            "BEGIN SELECT RAISE(ABORT, 'outbox is append-only'); END"
        ]
    return postgres_gap("outbox", "seq", last)


def gap_statements(dialect: str) -> list[str]:
    """Return the statements that refuse a gap in the steps of a request and, on PostgreSQL, in the sequence of rankings.

    Writers hold the advisory lock (PostgreSQL) or the database (SQLite), so the largest number cannot move meanwhile.
    """
    last_step = "(SELECT COALESCE(MAX(step), 0) FROM ranking_states WHERE ranking_id = NEW.ranking_id)"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER ranking_states_gap BEFORE INSERT ON ranking_states WHEN NEW.step <> 1 + {last_step} "
            "BEGIN SELECT RAISE(ABORT, 'ranking_states is append-only'); END"
        ]
    rankings_seq = postgres_gap("rankings", "seq", "(SELECT COALESCE(MAX(seq), 0) FROM rankings)")
    return [*postgres_gap("ranking_states", "step", last_step), *rankings_seq]


def log_statements(dialect: str) -> list[str]:
    """Return the statements that keep the log without gaps."""
    last = "(SELECT COALESCE(MAX(position), -1) FROM log_entries)"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER log_entries_gap BEFORE INSERT ON log_entries WHEN NEW.position <> 1 + {last} "
            "BEGIN SELECT RAISE(ABORT, 'log_entries is append-only'); END",
        ]
    return [
        "CREATE FUNCTION log_entries_refuse_gap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NEW.position <> 1 + {last} THEN RAISE EXCEPTION 'log_entries is append-only'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER log_entries_gap BEFORE INSERT ON log_entries FOR EACH ROW EXECUTE FUNCTION log_entries_refuse_gap()",
        "ALTER TABLE log_entries ENABLE ALWAYS TRIGGER log_entries_gap",
    ]


def erasable_statements(dialect: str) -> list[str]:
    """Return the statements that let an erasure, and nothing else, delete worklist entries, which refuse every change so far.

    A permit exists only inside the transaction that erases; whoever forges one is found by the digests, as with any other edit.
    """
    permitted = "EXISTS (SELECT 1 FROM erasure_permits WHERE account_id = OLD.account_id)"
    if dialect == "sqlite":
        return [
            "DROP TRIGGER ranking_entries_delete",
            f"CREATE TRIGGER ranking_entries_delete BEFORE DELETE ON ranking_entries WHEN NOT {permitted} "
            "BEGIN SELECT RAISE(ABORT, 'ranking_entries is append-only'); END",
        ]
    return [
        "CREATE OR REPLACE FUNCTION ranking_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN IF {permitted} THEN RETURN OLD; END IF; END IF; "
        "RAISE EXCEPTION 'ranking_entries is append-only'; END $$",
        "DROP TRIGGER ranking_entries_row ON ranking_entries",
        "CREATE TRIGGER ranking_entries_row BEFORE UPDATE OR DELETE ON ranking_entries "
        "FOR EACH ROW EXECUTE FUNCTION ranking_entries_refuse()",
        "ALTER TABLE ranking_entries ENABLE ALWAYS TRIGGER ranking_entries_row",
    ]


def model_event_statements(dialect: str) -> list[str]:
    """Return the statements that refuse a gap in the sequence of model events; writers exclude each other as above."""
    last = "(SELECT COALESCE(MAX(seq), 0) FROM model_events)"
    if dialect == "postgresql":
        return postgres_gap("model_events", "seq", last)
    return [
        f"CREATE TRIGGER model_events_gap BEFORE INSERT ON model_events WHEN NEW.seq <> 1 + {last} "
        "BEGIN SELECT RAISE(ABORT, 'model_events is append-only'); END"
    ]
