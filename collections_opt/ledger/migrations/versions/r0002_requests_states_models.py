"""Requests with their states, models that were seen, and answers by request id."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.store.schema import gap_statements, trigger_statements

revision = "0002"
down_revision = "0001"

NEW_TABLES = ("models", "ranking_requests", "ranking_states", "idempotency_keys")
STATES = "'REQUESTED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'ABANDONED'"


def upgrade() -> None:
    """Create the tables (STRICT on SQLite) and triggers; rankings made before count as requested and succeeded."""
    strict = {"sqlite_strict": True}
    op.create_table(
        "models",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("kind", "version")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("digest", "manifest", "created_at")),
        **strict,
    )
    op.create_table(
        "ranking_requests",
        sa.Column("ranking_id", sa.Text, primary_key=True),
        sa.Column("request_id", sa.Text, nullable=False, unique=True),
        sa.Column("payload_digest", sa.Text, nullable=False),
        sa.Column("portfolio_id", sa.Text, sa.ForeignKey("portfolios.portfolio_id"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("command", "created_at")),
        **strict,
    )
    op.create_table(
        "ranking_states",
        sa.Column("ranking_id", sa.Text, sa.ForeignKey("ranking_requests.ranking_id"), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True),
        sa.Column("state", sa.Text, sa.CheckConstraint(f"state IN ({STATES})", name="known_state"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("reason", "created_at")),
        **strict,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("request_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("method", "payload_digest", "response", "created_at")),
        **strict,
    )
    op.execute(
        "INSERT INTO ranking_requests (ranking_id, request_id, payload_digest, portfolio_id, command, created_at) "
        "SELECT ranking_id, request_id, payload_digest, portfolio_id, '{}', created_at FROM rankings"
    )
    for step, state in ((1, "REQUESTED"), (2, "SUCCEEDED")):
        op.execute(
            "INSERT INTO ranking_states (ranking_id, step, state, reason, created_at) "  # noqa: S608 - constants
            f"SELECT ranking_id, {step}, '{state}', '', created_at FROM rankings"
        )
    dialect = op.get_bind().dialect.name
    for statement in [*trigger_statements(dialect, NEW_TABLES), *gap_statements(dialect)]:
        op.execute(statement)
