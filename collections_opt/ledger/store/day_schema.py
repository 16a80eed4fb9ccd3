"""Tables of the day: batches of events, the sealed events, and leases, the one table whose rows live and change."""

from __future__ import annotations

import sqlalchemy as sa

HELD = "HELD"
"""State of a lease that somebody holds."""


def day_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table, sa.Table]:
    """Add the tables of events and leases; return batches, events and leases."""
    batches = sa.Table(
        "event_batches",
        metadata,
        sa.Column("first_sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_count", sa.Integer, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    events = sa.Table(
        "day_events",
        metadata,
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        # Of the caller's id: an id may tell whose it is, and rows outlive erasures.
        sa.Column("id_digest", sa.Text, nullable=False, unique=True),
        sa.Column("account_no", sa.BigInteger, nullable=False),
        sa.Column("person_no", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Index("day_events_account", "account_no", "sequence"),
        sa.Index("day_events_person", "person_no", "sequence"),
    )
    leases = sa.Table(
        "leases",
        metadata,
        sa.Column("lease_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False, unique=True),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("ranking_id", sa.Text, nullable=False),
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("account_no", sa.BigInteger, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("holder_kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("leased_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=False),
        sa.Index("leases_request", "request_id"),
        sa.Index("leases_ranking", "ranking_id", "queue_id"),
        # Whatever code does, the database lets nobody hold an account, or a person, twice at once.
        _held_once("leases_held_account", "account_no"),
        _held_once("leases_held_person", "person"),
    )
    return batches, events, leases


def _held_once(name: str, column: str) -> sa.Index:
    held = sa.text(f"state = '{HELD}'")
    return sa.Index(name, column, unique=True, sqlite_where=held, postgresql_where=held)
