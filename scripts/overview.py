"""Show what a server holds: portfolios, capacity plans, the newest rankings and the models that decide.

Example:
    python scripts/overview.py --data var/demo
    python scripts/overview.py --address 127.0.0.1:50051 --insecure-loopback --json
"""

from collections_opt.cli.morning.overview import command

if __name__ == "__main__":
    command()
