"""Show the keys of a ledger, and change them so that everything signed before stays provable.

Example:
    python scripts/keys.py show --data var/demo
    python scripts/keys.py rotate-signing --data var/demo --actor ann
    python scripts/keys.py rotate-master --data var/demo --actor ann
"""

from collections_opt.cli.running.keys import command

if __name__ == "__main__":
    command()
