"""List portfolios, delete one on which nothing rests, or all whose retention has ended; exit code 2 where one must be kept.

Example:
    python scripts/portfolios.py list --data var/demo
    python scripts/portfolios.py delete --data var/demo --portfolio book --reason "imported by mistake" --check
    python scripts/portfolios.py expire --data var/demo --reason "retention" --json
"""

from collections_opt.cli.records.portfolios import command

if __name__ == "__main__":
    command()
