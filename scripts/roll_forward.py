"""Make tomorrow's portfolio from today's and the events: who streams events needs no nightly file.

Example:
    python scripts/roll_forward.py --data var/demo --portfolio uci-2005-08 --day 2005-09-02
    python scripts/roll_forward.py --data var/demo --portfolio uci-2005-08 --day 2005-09-02 --check
"""

from collections_opt.cli.morning.roll_forward import command

if __name__ == "__main__":
    command()
