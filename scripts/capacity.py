"""Show capacity plans, change them, and see what another capacity would do to money, prices and accounts before it is stored.

Example:
    python scripts/capacity.py show --data var/demo --plan credit-card-desk
    python scripts/capacity.py what-if --data var/demo --change late-calls:minutes=+10% --html what-if.html
    python scripts/capacity.py set --data var/demo --change early-calls:agents=+1 --effective-from 2005-08-02 --dry-run
    python scripts/capacity.py day --data var/demo --queue late-calls --on 2005-08-05 --sick 2
"""

from collections_opt.cli.desk.capacity import command

if __name__ == "__main__":
    command()
