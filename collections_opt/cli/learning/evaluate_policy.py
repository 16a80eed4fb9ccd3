"""Say what every order would have been worth on your own contact log, at equal capacity, and whom the contact effects find.

Example:
    python scripts/evaluate_policy.py --data var/simulated --plan simulated-desk --html var/simulated/policy.html \
        --portfolio simulated-month-6 --log var/simulated/simulated-month-6.csv
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.application.evaluation.policy import PolicyQuestion, evaluate_policy
from collections_opt.application.settings import bundled_parameters, bundled_rules, read_parameters
from collections_opt.cli.common.matching import read_logs, require_log_each
from collections_opt.cli.common.product import DataOption, ModelsOption, models_of, opened
from collections_opt.cli.common.running import REFUSED, run
from collections_opt.cli.common.terminal import PlainProgress, table, terminal
from collections_opt.core.evaluation.logged_rewards import Reward
from collections_opt.core.evaluation.policy_comparison import PolicyEvaluation
from collections_opt.reports.evaluation.effect_tables import SIMULATED_MARK, uplift_table
from collections_opt.reports.policy.page import policy_html
from collections_opt.reports.policy.report import (
    POLICY_NOTE,
    policy_csv,
    policy_figures,
    policy_headline,
    provenance,
    refusals,
    value_table,
)


def main(
    portfolio: Annotated[list[str], typer.Option(help="Id of an imported portfolio; may repeat, one per --log, in order.")],
    log: Annotated[list[Path], typer.Option(help="CSV or Parquet log of the contacts that followed it; may repeat.")],
    data: DataOption = Path("var/demo"),
    models: ModelsOption = None,
    plan: Annotated[str, typer.Option(help="Capacity plan that every order fills; default: the bundled one.")] = "",
    effects: Annotated[str, typer.Option(help="Effect version to judge, or plan; default: what serves, contact rates too.")] = "",
    reward: Annotated[Reward, typer.Option(help="VALUE of the outcome that came, or CASH paid.")] = Reward.VALUE,
    parameters: Annotated[Path | None, typer.Option(help="TOML of your value parameters; default: the bundled ones.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random order and the bootstrap.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables; money in minor units.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of tables; money in minor units.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write a page with plots here; it opens offline.")] = None,
) -> None:
    """Judge orders on the rows of a log of which a holdout decided, by their recorded chances; refused where they are too few.

    Example: python scripts/evaluate_policy.py --data var/book --portfolio book --log var/contacts.csv --html var/policy.html
    """
    require_log_each(portfolio, log)
    folder = models_of(data, models)
    with opened(data, folder) as workspace:
        read = read_logs(workspace, portfolio, log, plan)
        worth = read_parameters(parameters) if parameters else bundled_parameters()
        question = PolicyQuestion(
            read.logs, read.plan, bundled_rules(), worth, effects=effects, reward=reward, seed=seed, sources=read.sources
        )
        with PlainProgress() as bar:
            task = bar.add_task("judging", total=1.0)
            found = evaluate_policy(workspace, folder, question, lambda s, f: bar.update(task, completed=f, description=s))
    if html:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(policy_html(found), encoding="utf-8")
    if as_json or as_csv:
        typer.echo(json.dumps(policy_figures(found), indent=1) if as_json else policy_csv(found), nl=as_json)
    else:
        show(found, html)
    if not found.answered:
        raise typer.Exit(REFUSED)


def show(found: PolicyEvaluation, html: Path | None) -> None:
    """Print the finding, the tables, what was refused and how to read it."""
    console = terminal()
    if found.simulated:
        console.print(SIMULATED_MARK, style="bold red")
    console.print(policy_headline(found), style="bold")
    rows = f"{found.randomised_count:,} randomised rows of {found.account_count:,} accounts"
    console.print(table(f"Value per account in {found.currency_code} on {rows}", *value_table(found)))
    console.print(table(f"Cures added by contact ({', '.join(found.effects)})", *uplift_table(found.curves)))
    for refusal in refusals(found):
        console.print(f"REFUSED {refusal}", style="red", markup=False)
    for name, text in provenance(found):
        console.print(f"{name}: {text}", style="dim", markup=False, highlight=False)
    console.print(POLICY_NOTE, style="dim", markup=False)
    if html:
        console.print(f"Page: {html} (opens offline)")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
