"""Check the records: the log of everything, or one ranking. Exit code 1 when anything does not hold.

Example:
    python scripts/verify.py log --data var/demo
    python scripts/verify.py ranking --data var/demo --ranking latest
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.api.v1 import evidence_pb2
from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import terminal
from collections_opt.client.plain import plain
from collections_opt.core.errors import Reason, refuse
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
    ranking: RankingOption = IN_FORCE,
    kept: Annotated[
        list[Path] | None, typer.Option("--checkpoint", help="Checkpoint kept elsewhere, which the log must extend; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Check records and say in words what holds.

    Example: python scripts/verify.py ranking --data var/demo
    """
    with product.connect() as client:
        answer: evidence_pb2.VerifyLogResponse | evidence_pb2.VerifyRankingResponse
        if subject is Subject.LOG:
            answer = client.rankings.VerifyLog(evidence_pb2.VerifyLogRequest(kept_checkpoints=map(read_note, kept or ())))
        else:
            ranking_id = named_ranking(client, ranking).ranking_id
            answer = client.rankings.VerifyRanking(evidence_pb2.VerifyRankingRequest(ranking_id=ranking_id))
    verdict = answer.verdict
    unproved = unproved_checkpoints(answer, kept or []) if isinstance(answer, evidence_pb2.VerifyLogResponse) else []
    strength = read_enum(evidence_pb2.EvidenceStrength.DESCRIPTOR, verdict.strength, "strength")
    if as_json:
        typer.echo(json.dumps(plain(answer), indent=1))
    else:
        checks = [(check.name, check.holds, check.sentence) for check in verdict.checks]
        for line in verdict_lines(verdict.subject, strength, checks, verdict.limits):
            terminal().print(line, markup=False, highlight=False, soft_wrap=True)
    for sentence in unproved:
        typer.echo(sentence, err=True)
    if strength == "NOTHING" or unproved:
        raise typer.Exit(BROKEN)


def unproved_checkpoints(answer: evidence_pb2.VerifyLogResponse, kept: list[Path]) -> list[str]:
    """Return the checkpoints kept elsewhere for which the server's own proof does not hold: its word for it is not enough."""
    # Imported here: the other commands of this file need nothing but the client.
    from collections_opt.ledger.log.merkle import EMPTY_ROOT, check_consistency  # noqa: PLC0415
    from collections_opt.ledger.log.signed_notes import Checkpoint, Verifier  # noqa: PLC0415

    if not kept:
        return []
    now = Checkpoint.parse(Verifier.parse(answer.verifier_key).open(answer.checkpoint))
    found = []
    for path, told in zip(kept, answer.consistency, strict=True):
        if told.contradiction:
            continue  # the verdict tells of it
        then = Checkpoint.parse(read_note(path))
        path_of_hashes = list(told.hashes)
        holds = (
            then.root == EMPTY_ROOT
            if not then.size
            else then.origin == now.origin and check_consistency(then.size, then.root, now.size, now.root, path_of_hashes)
        )
        if not holds:
            found.append(f"BROKEN: the server does not prove that its log extends {path}.")
    return found


def read_note(path: Path) -> str:
    """Return a checkpoint's text."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "is not text"
        raise refuse(Reason.INVALID_ARGUMENT, "checkpoint", f"{path} cannot be read: {cause}.", "Name a checkpoint.") from error


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
