"""Save, approve and show value parameters: what accounts are worth, by product, in force from a day on.

Example:
    python scripts/parameters.py save --file examples/parameters.toml --set-id cards --effective-from 2026-01-01 --actor ann
    python scripts/parameters.py approve --set-id cards --version 1 --actor ben
    python scripts/parameters.py in-force --portfolio book-2026-11
"""

from collections_opt.cli.desk.parameters import command

if __name__ == "__main__":
    command()
