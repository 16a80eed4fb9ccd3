"""Say what every order would have been worth on your own contact log, at equal capacity, and whom the contact effects find.

Example:
    python scripts/evaluate_policy.py --data var/simulated --plan simulated-desk --html var/simulated/policy.html \
        --portfolio simulated-month-6 --log var/simulated/simulated-month-6.csv
"""

from collections_opt.cli.learning.evaluate_policy import command

if __name__ == "__main__":
    command()
