"""Tell what became of accounts, let rankings mature once their horizons have passed, and show what they matured into.

Example:
    python scripts/outcomes.py record --data var/demo --portfolio november --file outcomes.csv
    python scripts/outcomes.py mature --data var/demo --terms outcome_terms.toml
    python scripts/outcomes.py list --data var/demo
"""

from collections_opt.cli.monitoring.outcomes import command

if __name__ == "__main__":
    command()
