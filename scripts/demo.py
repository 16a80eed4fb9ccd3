"""Train on May to July, rank the August accounts, and compare the orders with what happened in September.

Example:
    python scripts/demo.py --data var/demo
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from compare_orderings import page_of, show
from rich.console import Console
from scripts_support import DataOption, opened, progress_bar, run, table

from collections_opt.application.bundled_comparison import BundledComparison, compare_bundled
from collections_opt.application.model_training import train_bundled_model
from collections_opt.application.workspace import Workspace
from collections_opt.core.assignment import SolveProgress
from collections_opt.reports.comparison_report import comparison_html
from collections_opt.reports.ranking_report import count_sentence, gap_sentence, queue_table, worklist_table

TRAINED_AT = datetime(2026, 11, 24, tzinfo=UTC)
"""Recorded in the demo's manifest, so that a second run gives the same bytes."""


def main(
    data: DataOption = Path("var/demo"),
    seed: Annotated[int, typer.Option(help="Seed of training, of the random order and of the bootstrap.")] = 1,
) -> None:
    """Run the main job on the bundled real portfolio; safe to run again.

    Example: python scripts/demo.py --data var/demo
    """
    console = Console()
    models = data / "models"
    with progress_bar("training on May to July") as report:
        trained = train_bundled_model(models, "demo-1", seed, TRAINED_AT, lambda stage, f: report(SolveProgress(stage, f)))
    auc, ece = trained.metrics["cure_auc"], trained.metrics["cure_ece"]
    console.print(
        f"Model {trained.version}: on August, which nothing was fitted on, cure AUC {auc:.3f}, calibration error {ece:.3f}."
    )
    with opened(data, models) as workspace:
        with progress_bar("ranking in every order") as report:
            result = compare_bundled(workspace, seed, report)
        example = show_ranking(console, workspace, result)
        show(result)
        page = data / "comparison.html"
        page.write_text(comparison_html(page_of(workspace, result)), encoding="utf-8")
        broken = workspace.ledger.verify_chain()
    first = result.rankings[0]
    console.print(
        f"Recorded: {first.ranking_id} in {data / 'ledger.db'}, chain {'broken: ' + broken[0] if broken else 'verified'}"
    )
    console.print(f"          entries {first.record['entries_object'][:16]}... in {data / 'objects'}")
    console.print(f"Figures:  {page} (opens offline)")
    console.print("Try next:", style="bold")
    for line in (
        f"python scripts/explain.py --data {data} --ranking {first.ranking_id} --account {example}",
        f"python scripts/compare_orderings.py --data {data} --models {models} --json",
        "python scripts/train_models.py --help",
    ):
        console.print(f"  .venv/bin/{line}", soft_wrap=True, highlight=False)


def show_ranking(console: Console, workspace: Workspace, result: BundledComparison) -> str:
    """Print the queues, the proof of quality and the top of each worklist with reasons; return an account to try."""
    first = result.rankings[0]
    plan, record = workspace.rankings.plan_of(first), first.record
    console.print(
        f"{result.portfolio.row_count:,} rows in, {result.portfolio.quarantined_count:,} quarantined; {count_sentence(record)}."
    )
    console.print(gap_sentence(record))
    console.print(
        table(f"Queues ({record['currency_code']}; expected money per extra minute and agent-hour)", *queue_table(plan, record))
    )
    example = ""
    for queue in plan.queues:
        _, entries = workspace.rankings.worklist(first.ranking_id, queue.queue_id, 0, 3)
        reasons = [workspace.rankings.explain(first.ranking_id, e.account_id).reasons[0].sentence for e in entries]
        if entries:
            example = example or entries[0].account_id
            console.print(table(f"Top of {queue.queue_id}", *worklist_table(entries, reasons)))
        else:
            console.print(f"{queue.queue_id}: nothing to work.")
    return example


if __name__ == "__main__":
    run(main)
