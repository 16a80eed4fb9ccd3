"""Write everything recorded about one person as an archive with proofs: decisions, inputs, reasons, contacts, people who looked.

Example:
    python scripts/person_pack.py --data var/demo --account UCI-000007 --from 2005-08-01 --to 2005-12-31 --out person.zip
"""

from collections_opt.cli.records.person_pack import command

if __name__ == "__main__":
    command()
