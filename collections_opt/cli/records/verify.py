"""Check the records: the log of everything, or one ranking. Exit code 1 when anything does not hold.

Example:
    python scripts/verify.py log --data var/demo
    python scripts/verify.py ranking --data var/demo --ranking latest
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from collections_opt.api.v1 import evidence_pb2
from collections_opt.cli.common.product import LATEST, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import terminal
from collections_opt.client.plain import plain
from collections_opt.reports.evidence_report import verdict_lines
from collections_opt.wire.common import read_enum

BROKEN = 1
"""Exit code of a check that found something."""


class Subject(StrEnum):
    """What is checked."""

    LOG = "log"
    RANKING = "ranking"


def main(
    product: Product,
    subject: Annotated[Subject, typer.Argument(help="log: chain, log and checkpoints; ranking: one ranking to the last figure.")],
    ranking: RankingOption = LATEST,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Check records and say in words what holds.

    Example: python scripts/verify.py ranking --data var/demo
    """
    with product.connect() as client:
        answer: evidence_pb2.VerifyLogResponse | evidence_pb2.VerifyRankingResponse
        if subject is Subject.LOG:
            answer = client.rankings.VerifyLog(evidence_pb2.VerifyLogRequest())
        else:
            ranking_id = named_ranking(client, ranking).ranking_id
            answer = client.rankings.VerifyRanking(evidence_pb2.VerifyRankingRequest(ranking_id=ranking_id))
    verdict = answer.verdict
    strength = read_enum(evidence_pb2.EvidenceStrength.DESCRIPTOR, verdict.strength, "strength")
    if as_json:
        typer.echo(json.dumps(plain(answer), indent=1))
    else:
        checks = [(check.name, check.holds, check.sentence) for check in verdict.checks]
        for line in verdict_lines(verdict.subject, strength, checks, verdict.limits):
            terminal().print(line, markup=False, highlight=False, soft_wrap=True)
    if strength == "NOTHING":
        raise typer.Exit(BROKEN)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
