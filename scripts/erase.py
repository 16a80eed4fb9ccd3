"""Erase accounts, or what was told of persons, for good; exit code 2 when something must be kept.

Example:
    python scripts/erase.py accounts --data var/demo --account UCI-000007 --reason "request 12" --dry-run
    python scripts/erase.py persons --data var/demo --customer C-17 --reason "request 13" --dry-run
    python scripts/erase.py lapsed --data var/demo --before 2026-01-31 --reason "retention" --dry-run
"""

from collections_opt.cli.records.erase import command

if __name__ == "__main__":
    command()
