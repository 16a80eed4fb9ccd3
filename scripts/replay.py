"""Make a recorded ranking anew from its recorded inputs and say whether every bit is the same. Exit code 1 for a mismatch.

Example:
    python scripts/replay.py --data var/demo --ranking latest
"""

from collections_opt.cli.records.replay import command

if __name__ == "__main__":
    command()
