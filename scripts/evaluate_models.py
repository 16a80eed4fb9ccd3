"""Evaluate a model out of time and write one page for a validator, and the figures as JSON.

Example:
    python scripts/evaluate_models.py --models models --version credit-card-2 --out var/evaluation
    python scripts/evaluate_models.py --history history.toml --models own-models --version cards-1 --out var/evaluation
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from scripts_support import progress_bar, run, table, terminal

from collections_opt.application.bundled_evaluation import BundledEvaluation, evaluate_bundled
from collections_opt.application.own_evaluation import evaluate_own
from collections_opt.core.assignment import SolveProgress
from collections_opt.datasets.training_files import read_training
from collections_opt.reports.evaluation_page import class_table, evaluation_html, gains_table, segment_table
from collections_opt.scoring.artifacts import load_artifact
from collections_opt.scoring.evaluation import ModelEvaluation


def main(
    history: Annotated[
        Path | None,
        typer.Option(help="TOML file of your periods, as for training; the last is judged on. Not given: the bundled accounts."),
    ] = None,
    models: Annotated[Path, typer.Option(help="Folder of model versions.")] = Path("models"),
    version: Annotated[str, typer.Option(help="Version of the outcome model.")] = "credit-card-2",
    out: Annotated[Path, typer.Option(help="Folder for evaluation.html and evaluation.json.")] = Path("var/evaluation"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of tables.")] = False,
) -> None:
    """Evaluate on the last period of a history, by segment, with drift, alarms and money at capacity.

    Without a history: on the bundled August, with September's alarms and studies to compare with published work.

    Example: python scripts/evaluate_models.py --models models --version credit-card-2 --out var/evaluation
    """
    card = load_artifact(models, version).card
    bundled: BundledEvaluation | None = None
    with progress_bar("evaluating") as report:
        if history:
            report(SolveProgress(history.name, 0.1))
            model = evaluate_own(models, version, *read_training(history))
        else:
            bundled = evaluate_bundled(models, version, lambda stage, fraction: report(SolveProgress(stage, fraction)))
            model = bundled.model
    figures = json.dumps(asdict(bundled) if bundled else {"model": asdict(model)}, indent=1, default=str) + "\n"
    studies = (bundled.october_auc, bundled.recoveries.gains) if bundled else ()
    out.mkdir(parents=True, exist_ok=True)
    (out / "evaluation.json").write_text(figures, encoding="utf-8")
    (out / "evaluation.html").write_text(evaluation_html(model, card, *studies), encoding="utf-8")
    if as_json:
        typer.echo(figures)
        return
    console = terminal()
    show(console, model)
    if bundled:
        console.print(table("Share of net recoveries (LendingClub, June)", *gains_table(bundled.recoveries.gains)))
        for name, auc in bundled.october_auc.items():
            console.print(f"October default on all accounts, {name}: AUC {auc:.3f}", highlight=False)
    console.print(f"Page: {out / 'evaluation.html'} (opens offline)", highlight=False)


def show(console: Console, model: ModelEvaluation) -> None:
    """Print the figures of a model and its alarms."""
    console.print(table(f"{model.model_version} on {model.judged_on}", *class_table(model.classes)))
    header, lines = segment_table(model.segments)
    console.print(table("Cure by segment", header, [line for line in lines if line[1] == "cure"], text_columns=2))
    if model.gains:
        console.print(table(f"Share of {model.money}", *gains_table(model.gains)))
    for alarm in model.alarms:
        console.print(f"ALARM {alarm}", style="red", highlight=False)


if __name__ == "__main__":
    run(main)
