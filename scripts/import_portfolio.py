"""Import a lender's file (.csv, .tsv, .xlsx, .parquet, packed or not) through the API, by a TOML mapping; say what was refused.

Example:
    python scripts/import_portfolio.py --file book.csv --mapping book.toml --portfolio book-2026-11-24
    python scripts/import_portfolio.py --file book.csv --mapping book.toml --check --quarantine-out quarantined.csv
    python scripts/import_portfolio.py --data var/demo
"""

from collections_opt.cli.morning.import_portfolio import command

if __name__ == "__main__":
    command()
