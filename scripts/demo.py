"""Train on May to July, rank the August accounts through the API, and compare the orders with what happened in September.

Example:
    python scripts/demo.py --data var/demo
"""

from collections_opt.cli.morning.demo import command

if __name__ == "__main__":
    command()
