"""Say how long accounts are kept, and what keeps those named: work, events, legal holds.

Example:
    python scripts/retention.py --data var/demo --account UCI-000007
"""

from collections_opt.cli.records.retention import command

if __name__ == "__main__":
    command()
