"""Separate who owns a PostgreSQL ledger from the service that may only read and add.

Example:
    python scripts/ledger_roles.py --database-url postgresql+psycopg://owner@host/ledger --service ranking_service
"""

from collections_opt.cli.running.ledger_roles import command

if __name__ == "__main__":
    command()
