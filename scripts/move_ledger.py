"""Move a ledger from SQLite to PostgreSQL, verified before and after; the objects stay where they are.

Example:
    python scripts/move_ledger.py --data var/demo --to postgresql+psycopg://owner@host/ledger
"""

from collections_opt.cli.running.move_ledger import command

if __name__ == "__main__":
    command()
