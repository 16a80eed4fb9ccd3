"""Write everything about a recorded ranking as one archive that outsiders can check without this software.

Example:
    python scripts/export_evidence.py --data var/demo --ranking latest --out evidence.zip
"""

from collections_opt.cli.records.export_evidence import command

if __name__ == "__main__":
    command()
