"""Measure roll rates on consecutive imported portfolios, and write value parameters with the stay values that follow from them.

Example:
    python scripts/roll_rates.py --data var/book --portfolio book-08 --portfolio book-09 --portfolio book-10 --out parameters.toml
"""

from collections_opt.cli.learning.roll_rates import command

if __name__ == "__main__":
    command()
