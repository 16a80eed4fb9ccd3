"""Look at a lender's file and draft the TOML mapping that import_portfolio.py needs: a comment per column says how sure it is.

Example:
    python scripts/draft_mapping.py --file book.csv --as-of 2026-11-24 --out book.toml
"""

from collections_opt.cli.morning.draft_mapping import command

if __name__ == "__main__":
    command()
