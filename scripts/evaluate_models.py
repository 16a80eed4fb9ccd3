"""Evaluate a model out of time and write one page for a validator, and the figures as JSON.

Example:
    python scripts/evaluate_models.py --models models --version credit-card-4 --out var/evaluation
    python scripts/evaluate_models.py --history history.toml --models own-models --version cards-1 --out var/evaluation
    python scripts/evaluate_models.py --models var/book/models --effects calls-1 --data var/book --plan desk \
        --portfolio book-2026-11 --log contacts-2026-11.csv --out var/evaluation
"""

from collections_opt.cli.learning.evaluate_models import command

if __name__ == "__main__":
    command()
