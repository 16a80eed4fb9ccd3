"""Say what a strategy that starts at a threshold is worth, from a file of accounts: regression discontinuity with its checks.

Example:
    python scripts/strategy_effect.py --file collections_opt/datasets/bundled/recovery_strategy/bank_recovery_strategy.csv \
        --running expected_recovery_amount --outcome actual_recovery_amount --threshold 1000 --width 100 --width 50 --cost 50
"""

from collections_opt.cli.learning.strategy_effect import command

if __name__ == "__main__":
    command()
