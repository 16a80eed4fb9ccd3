"""Learn the chance of a right-party contact from contact logs of imported portfolios and write a version for people to approve.

Example:
    python scripts/train_contact.py --data var/book --portfolio aug --log var/aug.csv --portfolio sep --log var/sep.csv
        --portfolio oct --log var/oct.csv --version reach-1
"""

from collections_opt.cli.training.train_contact import command

if __name__ == "__main__":
    command()
