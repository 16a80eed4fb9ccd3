"""Issue short-lived tokens that say who calls a server, where no identity provider does.

Example:
    python scripts/issue_token.py new-key --key keys/issuer.pem --public keys/issuer.json
    python scripts/issue_token.py issue --key keys/issuer.pem --name ann --role ANALYST --out ann.token
"""

from collections_opt.cli.running.issue_token import command

if __name__ == "__main__":
    command()
