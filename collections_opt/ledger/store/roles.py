"""Roles of a ledger on PostgreSQL: its owner migrates, the service reads and adds, the eraser may also forget accounts.

Triggers stop accidents of whoever may change tables; a role without the right to change them cannot even try.
"""

from __future__ import annotations

import re

import sqlalchemy as sa

from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.schema import APPEND_ONLY, CHANGING, OVERWRITTEN

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ERASED_FROM = ("ranking_entries", "erasure_permits")
_OVERWRITTEN_BY_ERASURE = ("subject_key_blocks", "subject_directory")


def role_statements(service: str, eraser: str) -> list[str]:
    """Return the grants that make existing roles the service and the eraser of a migrated ledger; running them again is free.

    The service has SELECT and INSERT and nothing else, but for leases, which it ends; the eraser also what an erasure overwrites
    and deletes, within what the triggers let through.

    Raises:
        CollectionsError: INVALID_ARGUMENT for names that are none, or one name for both.
    """
    for field, name in (("service", service), ("eraser", eraser)):
        if not _NAME.fullmatch(name):
            raise refuse(Reason.INVALID_ARGUMENT, field, f"{name[:70]!r} is no role name.", "Use a-z, 0-9 and '_'.")
    if service == eraser:
        raise refuse(Reason.INVALID_ARGUMENT, "eraser", "is the service itself.", "Name another role.")
    every = ", ".join((*APPEND_ONLY, *OVERWRITTEN, *CHANGING))
    statements = ["REVOKE CREATE ON SCHEMA public FROM PUBLIC", f"REVOKE ALL ON {every}, alembic_version FROM PUBLIC"]
    for role in (service, eraser):
        statements += [
            f"REVOKE ALL ON {every}, alembic_version FROM {role}",
            f"GRANT USAGE ON SCHEMA public TO {role}",
            f"GRANT SELECT ON alembic_version TO {role}",
            f"GRANT SELECT, INSERT ON {every} TO {role}",
            f"GRANT UPDATE ON {', '.join(CHANGING)} TO {role}",
        ]
    statements.append(f"GRANT DELETE ON {', '.join(_ERASED_FROM)} TO {eraser}")
    statements.append(f"GRANT UPDATE ON {', '.join(_OVERWRITTEN_BY_ERASURE)} TO {eraser}")
    return statements


def grant_roles(database: Database, service: str, eraser: str) -> list[str]:
    """Make the roles where they are missing (without a way to log in yet) and grant them; return the roles made.

    Raises:
        CollectionsError: as ``role_statements``; INVALID_ARGUMENT for SQLite, which has no roles, and for a role that owns the
            ledger or is a superuser, whom no grant holds.
    """
    statements = role_statements(service, eraser)
    if database.dialect != "postgresql":
        raise refuse(Reason.INVALID_ARGUMENT, "database_url", "SQLite has no roles.", "Name a PostgreSQL database.")
    made = []
    with database.write() as connection:
        for role in (service, eraser):
            known = connection.execute(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
            owner = connection.execute(sa.text("SELECT tableowner FROM pg_tables WHERE tablename = 'rankings'")).scalar()
            if known or owner == role:
                raise refuse(Reason.INVALID_ARGUMENT, "role", f"{role} owns the ledger or is a superuser.", "Name another role.")
            if known is None:
                connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN")
                made.append(role)
        for statement in statements:
            connection.exec_driver_sql(statement)
    return made
