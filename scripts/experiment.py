"""Plan, create, start, read and stop experiments: a draw leaves people alone, or picks their queue or plan, to know its worth.

Example:
    python scripts/experiment.py plan --share 0.05 --days 60 --horizon 30 --standard-deviation 300.00
    python scripts/experiment.py create --id holdout-26 --share 0.05 --from 2026-12-01 --days 60 --horizon 30 --people 9000
    python scripts/experiment.py start --id holdout-26 --version 1 --actor ben
    python scripts/experiment.py read --id holdout-26 --html holdout.html
    python scripts/experiment.py split-plan --plan desk --challenger desk-b --share 0.2 --from 2026-12-01
"""

from collections_opt.cli.learning.experiment import command

if __name__ == "__main__":
    command()
