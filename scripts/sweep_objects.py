"""Remove the objects that no record names: what crashes between storing and recording leave behind.

Example:
    python scripts/sweep_objects.py --data var/demo --dry-run
"""

from collections_opt.cli.running.sweep_objects import command

if __name__ == "__main__":
    command()
