"""Let the service learn a model from its own matured rankings; what it writes is a draft for people to approve.

Example:
    python scripts/train.py --data var/book --kind outcome --version cards-2
    python scripts/train.py --address ranker:8443 --kind contact --version reach-2
"""

from collections_opt.cli.training.train import command

if __name__ == "__main__":
    command()
