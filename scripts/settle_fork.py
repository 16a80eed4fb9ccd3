"""Decide what happens to a ledger that its checkpoints contradict: it takes no writes before a person did.

Example:
    python scripts/settle_fork.py --data var/demo
    python scripts/settle_fork.py --data var/demo --accept --actor ann --reason "restored the backup of Monday, ticket 17"
"""

from collections_opt.cli.running.settle_fork import command

if __name__ == "__main__":
    command()
