"""Measure roll rates on consecutive imported portfolios, and write value parameters with the stay values that follow from them.

Example:
    python scripts/roll_rates.py --data var/book --portfolio book-08 --portfolio book-09 --portfolio book-10 --out parameters.toml
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tomli_w
import typer
from rich.console import Console

from collections_opt.application.settings import bundled_parameters, dump, read_parameters
from collections_opt.application.training.roll_rate_study import ProductRates, RollRateStudy, study_roll_rates
from collections_opt.cli.common.product import DataOption, ModelsOption, models_of, opened
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import progress_bar, table, terminal
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.core.value.payoffs import BUCKET_COUNT, ValueParameters, check_parameters
from collections_opt.datasets.files.training_files import read_labels


def main(
    portfolio: Annotated[list[str], typer.Option(help="Id of an imported portfolio; repeat, a month apart, in order of time.")],
    data: DataOption = Path("var/demo"),
    models: ModelsOption = None,
    outcomes: Annotated[
        list[Path] | None,
        typer.Option(help="account_id and outcome (CURE, DEFAULT, STAY) of every portfolio but the last; in order."),
    ] = None,
    parameters: Annotated[
        Path | None, typer.Option(help="TOML of what is not measured; default: the bundled parameters.")
    ] = None,
    version: Annotated[str, typer.Option(help="Name of the new parameters.")] = "measured-1",
    out: Annotated[Path | None, typer.Option(help="Also write the parameters here as TOML, for rank.py --parameters.")] = None,
    accept_concerns: Annotated[
        bool, typer.Option("--accept-concerns", help="Write the parameters although what speaks against them is above its bound.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Count what accounts that stay late become, by product and bucket, with intervals; a bucket of few accounts keeps its value.

    Example: python scripts/roll_rates.py --data var/book --portfolio book-08 --portfolio book-09 --portfolio book-10
    """
    if outcomes and len(outcomes) != len(portfolio) - 1:
        told = f"{len(outcomes)} files, {len(portfolio)} portfolios."
        raise refuse(Reason.INVALID_ARGUMENT, "outcomes", told, "Give one for every portfolio but the last, or none.")
    base = read_parameters(parameters) if parameters else bundled_parameters()
    known = [read_labels(path) for path in outcomes] if outcomes else [None] * (len(portfolio) - 1)
    with progress_bar("roll rates") as report, opened(data, models_of(data, models)) as workspace:
        report(SolveProgress("read", 0.1))
        read = [workspace.recorded.portfolio(name) for name in portfolio]
        report(SolveProgress("count", 0.5))
        study = study_roll_rates(read, known, base, version, seed)
    check_parameters(study.parameters)
    if study.concerns and out and not accept_concerns:
        told = " ".join(study.concerns)
        raise refuse(Reason.INVALID_ARGUMENT, "portfolio", f"nothing is written: {told}", "Or give --accept-concerns.")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(tomli_w.dumps(asdict(study.parameters)), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(plain(study), indent=1))
        return
    show(terminal(), study, base)
    if out:
        typer.echo(f"Written: {out}, for rank.py --parameters.")


def show(console: Console, study: RollRateStudy, base: ValueParameters) -> None:
    """Print the rates and stay values by product and bucket, and what they leave out."""
    head = ["product", "bucket", "account-months", "cure", "default", "same", "worse", "better", "stay value (95 %)"]
    lines = [line for name, product in study.products.items() for line in rate_lines(name, product)]
    console.print(table("Monthly roll rates of accounts that were late the month before too", head, lines, text_columns=2))
    known = base.by_product()
    changed = [
        [name, str(bucket), f"{known[name].stay_value[bucket]:.3f}", f"{values.stay_value[bucket]:.3f}"]
        for name, values in study.parameters.products.items()
        for bucket in range(BUCKET_COUNT)
    ]
    head = ["product", "bucket", base.version, study.parameters.version]
    console.print(table(f"Stay values of {study.parameters.version}", head, changed, text_columns=2))
    for concern in study.concerns:
        console.print(f"CONCERN {concern}", style="red", markup=False, highlight=False)
    if study.kept_buckets:
        kept = ", ".join(map(str, study.kept_buckets))
        console.print(f"Buckets with fewer than 30 account-months keep the value of {base.version}: {kept}.", highlight=False)
    console.print(f"{study.fresh:,} account-months that were not late the month before are left out.", highlight=False)
    if study.left_unsaid:
        console.print(
            f"CONCERN {study.left_unsaid:,} account-months left the book without an outcome: taken as defaulted where their "
            "contractual charge-off had come, as cured elsewhere. Give --outcomes if accounts are sold, quarantined or "
            "charged off earlier.",
            style="red",
            markup=False,
            highlight=False,
        )


def rate_lines(name: str, product: ProductRates) -> list[list[str]]:
    """Return a line per bucket that has any accounts."""
    lines = []
    for bucket in np.flatnonzero(product.rates.account_count).tolist():
        stay, absorb = product.rates.stay[bucket], product.rates.absorb[bucket]
        shares = (absorb[0], absorb[1], stay[bucket], stay[bucket + 1 :].sum(), stay[:bucket].sum())
        value = product.stay_values[bucket]
        figures = [f"{share:.1%}" for share in shares] if value else ["too few"] * len(shares)
        count = f"{product.rates.account_count[bucket]:,}"
        lines.append([name, str(bucket), count, *figures, shown(value) if value else "too few"])
    return lines


def shown(value: Interval) -> str:
    """Return a stay value with its interval."""
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def plain(study: RollRateStudy) -> dict[str, Any]:
    """Return the study for machines."""
    products = {
        name: {
            "account_count": product.rates.account_count.tolist(),
            "stay": product.rates.stay.tolist(),
            "absorb": product.rates.absorb.tolist(),
            "stay_value": [asdict(value) if value else None for value in product.stay_values],
        }
        for name, product in study.products.items()
    }
    return {
        "parameters": json.loads(dump(study.parameters)),
        "kept_buckets": list(study.kept_buckets),
        "account_months": study.account_months,
        "fresh_count": study.fresh,
        "left_unsaid_count": study.left_unsaid,
        "products": products,
    }


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
