"""List who read data about accounts: who, what and when, from the trail that every such call leaves.

Example:
    python scripts/reads.py --data var/demo
    python scripts/reads.py --data var/demo --csv > reads.csv
"""

from collections_opt.cli.records.reads import command

if __name__ == "__main__":
    command()
