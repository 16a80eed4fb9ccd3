"""Rank an imported portfolio under a capacity plan and record the ranking.

Example:
    python scripts/rank.py --data var/demo --portfolio uci-2005-08 --plan credit-card-desk --ordering EXPECTED_VALUE
    python scripts/rank.py --data var/lake --portfolio book.parquet --mapping book.toml --engine spark --master local[2,4]
"""

from collections_opt.cli.morning.rank import command

if __name__ == "__main__":
    command()
