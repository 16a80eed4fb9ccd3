"""Learn contact effects from contact logs of imported portfolios and write an effect version for people to approve.

Example:
    python scripts/train_effects.py --data var/book --portfolio book-2026-10 --log var/contacts-2026-10.csv --version calls-1
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from collections_opt.application.training.effect import EffectMethod, EffectReport, EffectTraining, train_effects
from collections_opt.cli.common.matching import read_logs, require_log_each
from collections_opt.cli.common.product import DataOption, ModelsOption, models_of, now, opened
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import PlainProgress, table, terminal
from collections_opt.scoring.effect.model import EffectEstimate, EffectModel
from collections_opt.scoring.effect.residual.card import LEVEL_COLUMNS, QUEUE_COLUMNS, level_cells, money_sentence, queue_cells
from collections_opt.scoring.effect.residual.level import PART_NAMES
from collections_opt.scoring.effect.residual.model import LearnedOutcome, ResidualModel
from collections_opt.scoring.effect.threshold import parse_threshold


def main(
    portfolio: Annotated[list[str], typer.Option(help="Id of an imported portfolio; may repeat, one per --log, in order.")],
    log: Annotated[list[Path], typer.Option(help="CSV or Parquet log of the contacts that followed it; may repeat.")],
    version: Annotated[str, typer.Option(help="Name of the new version.")],
    data: DataOption = Path("var/demo"),
    models: ModelsOption = None,
    plan: Annotated[str, typer.Option(help="Capacity plan whose effects are the prior; default: the bundled one.")] = "",
    method: Annotated[
        EffectMethod | None, typer.Option(help="How to learn; default: residual where the log allows it.", show_default=False)
    ] = None,
    segment: Annotated[
        list[str] | None,
        typer.Option(help="Feature that effects by segment may depend on; may repeat; takes the method segments."),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="QUEUE=COLUMN:VALUE:WIDTH of a queue that a threshold on a portfolio's column assigned; may repeat."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of adjustments and bootstrap.")] = 1,
    created_at: Annotated[datetime | None, typer.Option(help="Creation time recorded, UTC; default now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Learn by residuals from all rows, their level from randomised ones; or by segments, where those are too few or declared.

    By segments: from holdouts where rows are enough, else at a declared threshold, else from chosen rows where they overlap. The
    plan's effect stays where the log teaches nothing. A threshold is in its column's unit, money in minor units.

    Example: python scripts/train_effects.py --data var/book --portfolio book --log var/contacts.csv --version calls-1
    """
    require_log_each(portfolio, log)
    folder = models_of(data, models)
    with opened(data, folder) as workspace:
        read = read_logs(workspace, portfolio, log, plan)
        designs = tuple(parse_threshold(text) for text in threshold or ())
        training = EffectTraining(version, read.logs, read.plan, method, tuple(segment or ()), designs, seed, read.sources)
        moment = created_at.replace(tzinfo=UTC) if created_at else now()
        with PlainProgress() as bar:
            task = bar.add_task("learning", total=1.0)
            report = train_effects(workspace, folder, training, moment, lambda s, f: bar.update(task, completed=f, description=s))
    if as_json:
        typer.echo(json.dumps(plain(report), indent=1))
        return
    show(report)


def show(report: EffectReport) -> None:
    """Print what each queue's effect rests on."""
    console = terminal()
    title = f"{report.folder}: {report.row_count:,} rows, {report.dropped_count:,} left out, method {report.method}"
    if report.why:
        console.print(f"Not by residuals: {report.why}.", style="dim", markup=False)
    if isinstance(report.model, ResidualModel):
        show_residuals(report.model, title)
    else:
        show_segments(report.model, title)
    console.print("It serves once people have approved and promoted it: scripts/models.py.", style="dim")


def show_residuals(model: ResidualModel, title: str) -> None:
    """Print the levels, every queue and what to know before serving them."""
    console = terminal()
    levels = [level_cells(outcome) for outcome in model.outcomes]
    console.print(table("How strong effects are", list(LEVEL_COLUMNS), levels, text_columns=len(LEVEL_COLUMNS)))
    console.print(table(title, list(QUEUE_COLUMNS), [queue_cells(queue) for queue in model.queues], text_columns=3))
    console.print(money_sentence(model), markup=False)
    for warning in model.warnings:
        console.print(warning, style="yellow", markup=False)


def show_segments(model: EffectModel, title: str) -> None:
    """Print every queue."""
    header = ["queue", "evidence", "why", "contacted", "held out", "change of p_cure", "change of p_default"]
    lines = [
        [
            queue.queue_id,
            queue.evidence.value,
            queue.reason,
            f"{queue.contacted_count:,}",
            f"{queue.held_out_count:,}",
            shown(queue.cure),
            shown(queue.default),
        ]
        for queue in model.queues
    ]
    terminal().print(table(title, header, lines, text_columns=3))


def shown(estimate: EffectEstimate | None) -> str:
    """Return an average effect with its interval."""
    return f"{estimate.value:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})" if estimate else "-"


def plain(report: EffectReport) -> dict[str, object]:
    """Return the report for machines."""
    model = report.model
    if isinstance(model, ResidualModel):
        counts = {
            queue.queue_id: {
                "contacted_count": queue.contacted_count,
                "uncontacted_count": queue.uncontacted_count,
                "randomised_count": queue.randomised_count,
                "overlap": queue.overlap,
            }
            for queue in model.queues
        }
    else:
        counts = {
            queue.queue_id: {"contacted_count": queue.contacted_count, "held_out_count": queue.held_out_count}
            for queue in model.queues
        }
    queues = {
        queue.queue_id: {
            "evidence": queue.evidence.value,
            "reason": queue.reason,
            **counts[queue.queue_id],
            "cure": queue.cure.__dict__ if queue.cure else None,
            "default": queue.default.__dict__ if queue.default else None,
        }
        for queue in model.queues
    }
    return {
        "folder": str(report.folder),
        "method": report.method.value,
        "not_by_residuals": report.why,
        "row_count": report.row_count,
        "dropped_count": report.dropped_count,
        "metrics": report.metrics,
        "levels": {outcome.name: level(outcome) for outcome in model.outcomes} if isinstance(model, ResidualModel) else {},
        "warnings": list(model.warnings) if isinstance(model, ResidualModel) else [],
        "queues": queues,
    }


def level(outcome: LearnedOutcome) -> dict[str, Any]:
    """Return an outcome's weights and level for machines; a penalty of null is infinite: nothing was learned."""
    low, high = outcome.level.interval
    return {
        "penalty": outcome.penalty,
        "randomised_penalty": outcome.drawn_penalty,
        "weights": {name: asdict(weight) for name, weight in zip(PART_NAMES, outcome.level.weights, strict=True)},
        "unweighted": outcome.level.unweighted,
        "estimate": outcome.level.estimate,
        "low": low,
        "high": high,
        "encompassing_z": outcome.level.encompassing_z,
    }


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
