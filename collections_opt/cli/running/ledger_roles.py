"""Separate who owns a PostgreSQL ledger from the service that may only read and add.

Example:
    python scripts/ledger_roles.py --database-url postgresql+psycopg://owner@host/ledger --service ranking_service
"""

from __future__ import annotations

from typing import Annotated

import typer

from collections_opt.cli.common.running import run
from collections_opt.ledger.store.database import open_database
from collections_opt.ledger.store.roles import grant_roles, role_statements


def main(
    database_url: Annotated[str, typer.Option(help="SQLAlchemy URL of the ledger, as its owner; it is migrated first.")] = "",
    service: Annotated[str, typer.Option(help="Role of the service: SELECT and INSERT only.")] = "ranking_service",
    eraser: Annotated[str, typer.Option(help="Role that may also erase accounts.")] = "ranking_eraser",
    show: Annotated[bool, typer.Option("--print", help="Print the grants for a database administrator; change nothing.")] = False,
) -> None:
    """Make the roles and grant them; give them a way to log in yourself, then start the service with its own role.

    Example: python scripts/ledger_roles.py --database-url postgresql+psycopg://owner@host/ledger --service ranking_service
    """
    if show:
        typer.echo(";\n".join(role_statements(service, eraser)) + ";")
        return
    database = open_database(database_url)
    try:
        made = grant_roles(database, service, eraser)
    finally:
        database.close()
    typer.echo(f"{service} may read and add, {eraser} may also erase; roles made: {', '.join(made) or 'none, both existed'}.")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
