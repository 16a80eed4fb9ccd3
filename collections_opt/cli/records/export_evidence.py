"""Write everything about a recorded ranking as one archive that outsiders can check without this software.

Example:
    python scripts/export_evidence.py --data var/demo --ranking latest --out evidence.zip
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import terminal
from collections_opt.client.exports import export_evidence


def main(
    product: Product,
    ranking: RankingOption = IN_FORCE,
    out: Annotated[Path, typer.Option(help="Archive to write.")] = Path("evidence.zip"),
    account: Annotated[list[str] | None, typer.Option(help="Show this account's row only; repeat for more.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Export the evidence of a ranking.

    Example: python scripts/export_evidence.py --data var/demo --out evidence.zip
    """
    with product.connect() as client:
        ranking_id = named_ranking(client, ranking).ranking_id
        content = export_evidence(client, ranking_id, account or ())
    out.write_bytes(content)
    if as_json:
        typer.echo(json.dumps({"ranking_id": ranking_id, "archive": str(out), "bytes": len(content)}, indent=1))
        return
    console = terminal()
    console.print(f"{out} holds the evidence of {ranking_id}, {len(content):,} bytes.", highlight=False)
    console.print(f"Check it anywhere: take verify_evidence.py out of it and run python verify_evidence.py {out.name} --key KEY")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
