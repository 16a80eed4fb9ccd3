"""Make a recorded ranking anew from its recorded inputs and say whether every bit is the same. Exit code 1 for a mismatch.

Example:
    python scripts/replay.py --data var/demo --ranking latest
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from collections_opt.api.v1 import evidence_pb2
from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import terminal
from collections_opt.client.plain import plain
from collections_opt.reports.evidence_report import REPLAYS
from collections_opt.wire.common import read_enum

BROKEN = 1
"""Exit code of a replay that gave something else."""


def main(
    product: Product,
    ranking: RankingOption = IN_FORCE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Score and solve a recorded ranking anew and compare.

    Example: python scripts/replay.py --data var/demo
    """
    with product.connect() as client:
        ranking_id = named_ranking(client, ranking).ranking_id
        answer = client.rankings.ReplayRanking(evidence_pb2.ReplayRankingRequest(ranking_id=ranking_id))
    outcome = read_enum(evidence_pb2.ReplayOutcome.DESCRIPTOR, answer.outcome, "outcome")
    if as_json:
        typer.echo(json.dumps(plain(answer), indent=1))
    else:
        console = terminal()
        console.print(f"Ranking {ranking_id}: {outcome}. {REPLAYS[outcome]}", markup=False, highlight=False)
        if answer.detail:
            console.print(f"  {answer.detail}", markup=False, highlight=False)
    if outcome == "MISMATCH":
        raise typer.Exit(BROKEN)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
