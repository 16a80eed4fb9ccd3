"""Place, release and list legal holds, which forbid the erasure of accounts and of persons.

Example:
    python scripts/holds.py place --data var/demo --hold-id case-7 --account UCI-000007 --reason "dispute in court"
    python scripts/holds.py list --data var/demo
    python scripts/holds.py release --data var/demo --hold-id case-7 --reason "settled"
"""

from collections_opt.cli.records.holds import command

if __name__ == "__main__":
    command()
