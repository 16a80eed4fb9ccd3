"""Evaluate a model out of time and write one page for a validator, and the figures as JSON.

Example:
    python scripts/evaluate_models.py --models models --version credit-card-4 --out var/evaluation
    python scripts/evaluate_models.py --history history.toml --models own-models --version cards-1 --out var/evaluation
    python scripts/evaluate_models.py --models var/book/models --effects calls-1 --data var/book --plan desk \
        --portfolio book-2026-11 --log contacts-2026-11.csv --out var/evaluation
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from collections_opt.application.evaluation.bundled import BundledEvaluation, evaluate_bundled
from collections_opt.application.evaluation.effect import evaluate_logged_effects
from collections_opt.application.evaluation.own import evaluate_own
from collections_opt.cli.common.matching import read_logs
from collections_opt.cli.common.product import DataOption, opened
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import progress_bar, table, terminal
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.datasets.files.training_files import read_training
from collections_opt.reports.evaluation.effect_tables import SIMULATED_MARK, effect_figures, effect_table, uplift_table
from collections_opt.reports.evaluation.page import class_table, effects_headline, evaluation_html, gains_table, segment_table
from collections_opt.scoring.effect.evaluation import EffectEvaluation
from collections_opt.scoring.evaluation.probabilities import ModelEvaluation
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.outcome.scorer import Scorer


def main(
    history: Annotated[
        Path | None,
        typer.Option(help="TOML file of your periods, as for training; the last is judged on. Not given: the bundled accounts."),
    ] = None,
    models: Annotated[Path, typer.Option(help="Folder of model versions.")] = Path("models"),
    version: Annotated[str, typer.Option(help="Version of the outcome model.")] = "credit-card-4",
    effects: Annotated[str, typer.Option(help="Effect version to judge too, or plan; needs --portfolio and --log.")] = "",
    portfolio: Annotated[
        list[str] | None, typer.Option(help="Id of an imported portfolio the effects were not learned from; may repeat.")
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(help="CSV or Parquet log of the contacts that followed; one per --portfolio, in order."),
    ] = None,
    data: DataOption = Path("var/demo"),
    plan: Annotated[str, typer.Option(help="Capacity plan whose queues the logs name; default: the bundled one.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for evaluation.html and evaluation.json.")] = Path("var/evaluation"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of tables.")] = False,
) -> None:
    """Evaluate on the last period of a history, by segment, with drift, alarms and money at capacity.

    Without a history: on the bundled August, with September's alarms and studies to compare with published work. Contact
    effects are judged on your contact log; without one, those of a simulated lender stand in, marked SIMULATED.

    Example: python scripts/evaluate_models.py --models models --version credit-card-4 --out var/evaluation
    """
    artifact = load_artifact(models, version)
    bundled: BundledEvaluation | None = None
    asked = are_effects_asked(effects, portfolio or [], log or [])
    with progress_bar("evaluating") as report:
        if history:
            report(SolveProgress(history.name, 0.1))
            model = evaluate_own(models, version, *read_training(history))
        else:
            bundled = evaluate_bundled(models, version, lambda stage, fraction: report(SolveProgress(stage, fraction)))
            model = bundled.model
        judged = bundled.effects if bundled else None
        if asked:
            report(SolveProgress(effects, 0.95))
            with opened(data, models) as workspace:
                read = read_logs(workspace, portfolio or [], log or [], plan)
                scorer = Scorer(artifact)
                judged = evaluate_logged_effects(workspace, models, effects, scorer, read.logs, read.plan, read.sources)
    figures = json.dumps(plain(model, bundled, judged), indent=1, default=str) + "\n"
    studies = (bundled.october_auc, bundled.recoveries.captured) if bundled else ({}, {})
    out.mkdir(parents=True, exist_ok=True)
    (out / "evaluation.json").write_text(figures, encoding="utf-8")
    (out / "evaluation.html").write_text(evaluation_html(model, artifact.card, *studies, judged), encoding="utf-8")
    if as_json:
        typer.echo(figures)
        return
    console = terminal()
    show(console, model)
    if bundled:
        console.print(table("Share of net recoveries (LendingClub, June)", *gains_table(bundled.recoveries.captured)))
        for name, auc in bundled.october_auc.items():
            console.print(f"October default on all accounts, {name}: AUC {auc:.3f}", highlight=False)
    if judged:
        show_effects(console, judged)
    console.print(f"Page: {out / 'evaluation.html'} (opens offline)", highlight=False)


def show(console: Console, model: ModelEvaluation) -> None:
    """Print the figures of a model and its alarms."""
    console.print(table(f"{model.model_version} on {model.judged_on}", *class_table(model.classes)))
    if model.unseen:
        console.print(model.unseen, highlight=False)
    header, lines = segment_table(model.segments)
    console.print(table("Cure by segment", header, [line for line in lines if line[1] == "cure"], text_columns=2))
    if model.gains:
        console.print(table(f"Share of {model.money}", *gains_table(model.gains)))
    for alarm in model.alarms:
        console.print(f"ALARM {alarm}", style="red", highlight=False)


def are_effects_asked(effects: str, portfolios: list[str], logs: list[Path]) -> bool:
    """Return whether effects are to be judged.

    Raises:
        CollectionsError: INVALID_ARGUMENT when one of them is missing.
    """
    if not effects and not portfolios and not logs:
        return False
    if not effects or not portfolios or len(portfolios) != len(logs):
        told = f"{len(logs)} logs, {len(portfolios)} portfolios, effects {effects or 'not named'}."
        raise refuse(Reason.INVALID_ARGUMENT, "log", told, "Name the effects, and give one log per portfolio.")
    return True


def plain(model: ModelEvaluation, bundled: BundledEvaluation | None, judged: EffectEvaluation | None) -> dict[str, Any]:
    """Return everything for machines; without effects where none were judged."""
    figures: dict[str, Any] = {"model": asdict(model)}
    if bundled:
        figures |= {"october_auc": dict(bundled.october_auc), "recoveries": asdict(bundled.recoveries)}
    return figures | ({"effects": effect_figures(judged)} if judged else {})


def show_effects(console: Console, judged: EffectEvaluation) -> None:
    """Print whom the effects find and the effect by segment."""
    if judged.simulated:
        console.print(SIMULATED_MARK, style="bold red")
    console.print(effects_headline(judged), highlight=False)
    console.print(table("Cures added by contact", *uplift_table(judged.curves)))
    console.print(table("Change of the chance of a cure by contact", *effect_table(judged.cells)))


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
