"""List and govern model versions: submit, validate, approve, promote, roll back, retire, adopt; compare challengers.

Example:
    python scripts/models.py list --data var/demo
    python scripts/models.py approve --version credit-card-4 --actor ada --days 180 --portfolio "uci-*"
"""

from collections_opt.cli.learning.models import command

if __name__ == "__main__":
    command()
