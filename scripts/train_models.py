"""Train the outcome model on a lender's own history, or on the bundled accounts, and judge it on a later period.

Example:
    python scripts/train_models.py --history training.toml --models-dir own-models --version cards-1
    python scripts/train_models.py --models-dir models --version credit-card-4
"""

from collections_opt.cli.training.train_models import command

if __name__ == "__main__":
    command()
