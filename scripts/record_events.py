"""Tell a server what happened, from a CSV file: payments, promises, contacts, flags, reviews; telling a file again is free.

Example:
    python scripts/record_events.py --data var/demo --file payments.csv --mapping payments.toml
    python scripts/record_events.py --data var/demo --file payments.csv --check
"""

from collections_opt.cli.morning.record_events import command

if __name__ == "__main__":
    command()
