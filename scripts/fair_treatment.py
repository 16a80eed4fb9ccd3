"""Say how a recorded ranking treats groups that a file names: contact, minutes, benefit, hardship access; pressure and neglect.

Example:
    python scripts/fair_treatment.py --data var/demo --bundled-groups
"""

from collections_opt.cli.learning.fair_treatment import command

if __name__ == "__main__":
    command()
