"""Back up a ledger while its server runs: the database at one moment and every object that it names, verified; the keys apart.

Example:
    python scripts/backup.py --data var/demo --to /backups/ledger
    python scripts/backup.py --data var/demo --to /backups/ledger --keys-to /safe/keys
"""

from collections_opt.cli.running.backup import command

if __name__ == "__main__":
    command()
