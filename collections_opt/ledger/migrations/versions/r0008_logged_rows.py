"""Portfolios, plans, models, acts on them and answers get leaves in the log: an edit shows, and who did it is told."""

import sqlalchemy as sa
from alembic import op

from collections_opt.ledger.log.log import LogKind, append_log
from collections_opt.ledger.log.logged_rows import LOGGED, reference_of, row_digest

revision = "0008"
down_revision = "0007"

KINDS = (LogKind.PORTFOLIO, LogKind.PLAN, LogKind.MODEL, LogKind.MODEL_EVENT, LogKind.ANSWER)
"""Whose tables existed by then."""


def upgrade() -> None:
    """Append a leaf for every row recorded before, in the order of keys; who recorded it is not known any more."""
    connection = op.get_bind()
    for kind in KINDS:
        table = LOGGED[kind]
        keys = ", ".join(column.name for column in table.primary_key)
        rows = connection.execute(sa.text(f"SELECT * FROM {table.name} ORDER BY {keys}")).mappings().all()  # noqa: S608 - constants
        for row in map(dict, rows):
            append_log(connection, kind, reference_of(kind, row), {"row_digest": row_digest(row)})
