"""Hold matured rankings against what they predicted: a table, JSON, or a page by month for the validator.

Example:
    python scripts/monitor.py --data var/demo
    python scripts/monitor.py --data var/demo --html monitors.html
    python scripts/monitor.py --data var/demo --ahead in-force
"""

from collections_opt.cli.monitoring.monitor import command

if __name__ == "__main__":
    command()
