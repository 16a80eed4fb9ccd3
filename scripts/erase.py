"""Erase accounts for good, or place and release legal holds; exit code 2 when something must be kept.

Works on the data folder itself and is no call of the API: whoever may erase must be able to open the folder.

Example:
    python scripts/erase.py accounts --data var/demo --account UCI-000007 --reason "request 12" --dry-run
    python scripts/erase.py persons --data var/demo --customer C-17 --reason "request 13" --dry-run
    python scripts/erase.py hold --data var/demo --account UCI-000007 --hold-id case-7 --reason "dispute in court"
    python scripts/erase.py lapsed --data var/demo --before 2026-01-31 --reason "retention" --dry-run
    python scripts/erase.py release --data var/demo --hold-id case-7 --reason "settled"
"""

from collections_opt.cli.records.erase import command

if __name__ == "__main__":
    command()
