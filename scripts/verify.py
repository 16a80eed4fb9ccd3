"""Check the records: the log of everything, or one ranking. Exit code 1 when anything does not hold.

Example:
    python scripts/verify.py log --data var/demo
    python scripts/verify.py ranking --data var/demo --ranking latest
"""

from collections_opt.cli.records.verify import command

if __name__ == "__main__":
    command()
