"""Write everything that model-risk management asks for as one archive: inventory, outcomes analysis, triggers, approvals.

Example:
    python scripts/model_pack.py --data var/demo --out model-pack.zip
"""

from collections_opt.cli.monitoring.model_pack import command

if __name__ == "__main__":
    command()
