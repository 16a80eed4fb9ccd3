"""Ask whether a person may be contacted now, with every reason, budget and the next lawful time; exit code 1 where not.

Example:
    python scripts/check_contact.py --address 127.0.0.1:50051 --insecure-loopback --account A-17 --channel TEXT --automated
"""

from collections_opt.cli.morning.check_contact import command

if __name__ == "__main__":
    command()
