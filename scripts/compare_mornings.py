"""Say what differs between two mornings of one book: who came, who left, who moved, and what of each account differed.

Example:
    python scripts/compare_mornings.py --data var/demo --before rk-1 --after rk-2
    python scripts/compare_mornings.py --data var/demo --before rk-1 --after rk-2 --change ENTERED --csv entered.csv
"""

from collections_opt.cli.morning.compare_mornings import command

if __name__ == "__main__":
    command()
