"""Learn what comes back of charged-off accounts, from imported portfolios and recoveries, and write a version to approve.

Example:
    python scripts/train_recovery.py --data var/book --portfolio jan --recoveries var/jan.csv --portfolio feb
        --recoveries var/feb.csv --portfolio mar --recoveries var/mar.csv --version recovery-1
"""

from collections_opt.cli.training.train_recovery import command

if __name__ == "__main__":
    command()
