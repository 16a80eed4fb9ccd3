"""Make a ledger of a backup again, in an empty folder or database, and verify it.

Example:
    python scripts/restore.py --from /backups/ledger --data var/restored --keys-from /safe/keys
"""

from collections_opt.cli.running.restore import command

if __name__ == "__main__":
    command()
