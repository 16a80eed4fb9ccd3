"""Train on May to July, rank the August accounts, compare the orders with what happened, and live through a simulated day.

Example:
    python scripts/demo.py --data var/demo
"""

from collections_opt.cli.morning.demo import command

if __name__ == "__main__":
    command()
