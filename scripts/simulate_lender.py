"""Make a simulated lender: imported portfolios, a plan, contact logs with a holdout, recoveries, to try scripts on. Not real.

Example:
    python scripts/simulate_lender.py --data var/simulated --accounts 400000 --month 0 --month 6
"""

from collections_opt.cli.learning.simulate_lender import command

if __name__ == "__main__":
    command()
