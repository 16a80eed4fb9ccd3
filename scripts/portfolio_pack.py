"""Write how a book's persons were treated over a year: contacts, outcomes of vulnerable people beside others, experiments' costs.

Example:
    python scripts/portfolio_pack.py --data var/demo --from 2005-01-01 --to 2005-12-31 --out book.zip
"""

from collections_opt.cli.monitoring.portfolio_pack import command

if __name__ == "__main__":
    command()
