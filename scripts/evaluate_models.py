"""Evaluate a model out of time and write one page for a validator, and the figures as JSON.

Example:
    python scripts/evaluate_models.py --models models --version credit-card-2 --out var/evaluation
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from scripts_support import progress_bar, run, table

from collections_opt.application.model_evaluation import evaluate_bundled
from collections_opt.core.assignment import SolveProgress
from collections_opt.reports.evaluation_page import class_table, evaluation_html, gains_table
from collections_opt.scoring.artifacts import load_artifact


def main(
    models: Annotated[Path, typer.Option(help="Folder of model versions.")] = Path("models"),
    version: Annotated[str, typer.Option(help="Version of the outcome model.")] = "credit-card-2",
    out: Annotated[Path, typer.Option(help="Folder for evaluation.html and evaluation.json.")] = Path("var/evaluation"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of tables.")] = False,
) -> None:
    """Evaluate on August, raise September's alarms, and compare orders in money.

    Example: python scripts/evaluate_models.py --models models --version credit-card-2 --out var/evaluation
    """
    card = load_artifact(models, version).card
    with progress_bar("evaluating") as report:
        found = evaluate_bundled(models, version, lambda stage, fraction: report(SolveProgress(stage, fraction)))
    out.mkdir(parents=True, exist_ok=True)
    figures = json.dumps(asdict(found), indent=1, default=str) + "\n"
    (out / "evaluation.json").write_text(figures, encoding="utf-8")
    page = evaluation_html(found.model, found.october_auc, found.recoveries.gains, card)
    (out / "evaluation.html").write_text(page, encoding="utf-8")
    if as_json:
        typer.echo(figures)
        return
    console = Console(highlight=False)
    header, lines = class_table(found.model.classes)
    console.print(table(f"{found.model.model_version} on {found.model.judged_on}", header, lines))
    console.print(table("Share of next month's cash", *gains_table(found.model.gains)))
    console.print(table("Share of net recoveries (LendingClub, June)", *gains_table(found.recoveries.gains)))
    for name, auc in found.october_auc.items():
        console.print(f"October default on all accounts, {name}: AUC {auc:.3f}")
    for alarm in found.model.alarms:
        console.print(f"ALARM {alarm}", style="red")
    console.print(f"Page: {out / 'evaluation.html'} (opens offline)")


if __name__ == "__main__":
    run(main)
