"""Print a queue's accounts of a recorded ranking, in the order to work them.

Example:
    python scripts/worklist.py --data var/demo --queue early-calls --size 20
"""

from collections_opt.cli.morning.worklist import command

if __name__ == "__main__":
    command()
