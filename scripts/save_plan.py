"""Store a capacity plan from a TOML file: its first version, or the next one.

Example:
    python scripts/save_plan.py --data var/demo --file examples/plan.toml
"""

from collections_opt.cli.desk.save_plan import command

if __name__ == "__main__":
    command()
