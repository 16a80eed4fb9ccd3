"""Learn contact effects from contact logs of imported portfolios and write an effect version for people to approve.

Example:
    python scripts/train_effects.py --data var/book --portfolio book-2026-10 --log var/contacts-2026-10.csv --version calls-1
"""

from collections_opt.cli.training.train_effects import command

if __name__ == "__main__":
    command()
