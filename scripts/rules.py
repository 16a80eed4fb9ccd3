"""Save, approve, show, export and try rule tables: whom the law and the lender let be contacted.

Example:
    python scripts/rules.py save --data var/demo --file examples/city_rules.toml --actor ann
    python scripts/rules.py approve --data var/demo --table springfield-rules --version 1 --actor ben
"""

from collections_opt.cli.desk.rules import command

if __name__ == "__main__":
    command()
