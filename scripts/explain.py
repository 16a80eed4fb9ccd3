"""Say why an account was worked in a recorded ranking, why not elsewhere, or why not at all.

Example:
    python scripts/explain.py --data var/demo --account UCI-000007
    python scripts/explain.py --data var/demo --account UCI-000007 --at 2005-09-15 --proof proof.json
"""

from collections_opt.cli.morning.explain import command

if __name__ == "__main__":
    command()
