"""Compare the expected-value order with raw-probability orders on a portfolio, and with what really happened if it is known.

Example:
    python scripts/compare_orderings.py --data var/demo --html var/demo/comparison.html
    python scripts/compare_orderings.py --portfolio book --plan desk --outcomes outcomes.csv --csv comparison.csv
"""

from collections_opt.cli.morning.compare_orderings import command

if __name__ == "__main__":
    command()
