"""How far the challengers of a ranking are from what decided, and which outcome model was right once outcomes are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, models_of, named_ranking, opened
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.plain import plain
from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.training_files import read_labels

FIGURES = {
    "agreement": "same outcome likeliest",
    "rank_correlation_cure": "rank correlation of p_cure",
    "rank_correlation_default": "of p_default",
    "top_default_overlap": "overlap of riskiest fifth",
    "mean_absolute_difference": "mean difference",
    "log_loss": "log loss",
}

LISTS = {
    "worked_count": "works",
    "same_count": "same queue",
    "dropped_count": "drops",
    "added_count": "adds",
    "moved_count": "moves",
    "gain_by_model_minor_units": "gain by model, minor",
    "gain_by_challenger_minor_units": "by challenger",
}
"""Of the list that a challenger would have made, beside the one decided."""


def compare(
    product: Product,
    ranking: RankingOption = IN_FORCE,
    outcomes: Annotated[
        Path | None, typer.Option(help="CSV or Parquet of account_id and outcome (CURE, DEFAULT, STAY); needs --data.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare what decided with challengers on a ranking's accounts: lists, scores, and with outcomes log loss (less is better).

    Example: python scripts/models.py compare --data var/demo --outcomes outcomes.csv
    """
    if outcomes and product.address:
        raise refuse(Reason.INVALID_ARGUMENT, "address", "cannot be asked for log losses.", "Give --data of the server.")
    with product.connect() as client:
        made = named_ranking(client, ranking)
    models: list[dict[str, Any]] = [{"model_version": made.inputs.model_version, "role": "champion"}]
    models += [{**plain(shadow), "role": "challenger"} for shadow in made.model_use.shadow]
    judged = 0
    if outcomes:
        labels = read_labels(outcomes)
        judged = labels.outcome.size
        with opened(product.data, models_of(product.data, product.models)) as workspace:
            losses = workspace.recorded.shadow_losses(made.ranking_id, labels.account_id, labels.outcome)
        for model in models:
            if model["model_version"] in losses:
                model["log_loss"] = losses[model["model_version"]]
    if as_json:
        typer.echo(json.dumps({"ranking_id": made.ranking_id, "accounts_judged": judged, "models": models}, indent=1))
        return
    _show(made.ranking_id, models, judged)


def _show(ranking_id: str, models: list[dict[str, Any]], judged: int) -> None:
    shown = {name: head for name, head in FIGURES.items() if name != "log_loss" or judged}
    lists = [[m["model_version"], *(f"{int(m[name]):,}" for name in LISTS)] for m in models if "worked_count" in m]
    lines = [
        [m["model_version"], m["role"], *(f"{m[name]:.4f}" if name in m else "-" for name in shown), m.get("problem") or "-"]
        for m in models
    ]
    console = terminal()
    title = f"Ranking {ranking_id}" + (f", log loss on {judged:,} accounts with known outcomes" if judged else "")
    console.print(table(title, ["model", "role", *shown.values(), "problem"], lines, text_columns=2))
    if lists:
        console.print(table("Lists that challengers would have made", ["challenger", *LISTS.values()], lists, text_columns=1))
        console.print("What they said against what happened, and money: collections-opt monitor", highlight=False)
    if len(models) == 1:
        console.print("No challenger was tried beside this ranking.")
