"""Make a simulated lender: imported portfolios, a plan, contact logs with a holdout, recoveries, to try scripts on. Not real.

Example:
    python scripts/simulate_lender.py --data var/simulated --accounts 400000 --month 0 --month 6
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tomli_w
import typer

from collections_opt.application.models.registry_policy import read_policy, write_policy
from collections_opt.cli.common.product import DataOption, opened, shipped_models
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import PlainConsole, progress_bar, table, terminal
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.problem.assignment import SolveProgress
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.datasets.files.contact_log_files import log_table
from collections_opt.datasets.files.recovery_files import recoveries_table
from collections_opt.datasets.roll_rates import measured_parameters
from collections_opt.datasets.simulated_lender.recoveries import recovered_accounts
from collections_opt.datasets.simulated_lender.worlds import WORLDS, world

if TYPE_CHECKING:
    from collections_opt.application.workspace import Workspace
    from collections_opt.core.desk.queues import CapacityPlan

PARAMETERS_FILE = "parameters.toml"
WORLD_VALUE = ValueParameters(version="simulated-lender", horizon_days=30, cure_days=15, stay_days=20, default_days=30)
"""Times of the world, whose decisions are monthly; losses and stay values are measured on its first month."""


def main(
    data: DataOption = Path("var/simulated"),
    accounts: Annotated[int, typer.Option(help="Accounts of the book; about a tenth are late at a month end.", min=1)] = 400_000,
    month: Annotated[
        list[int] | None, typer.Option(help="Months after January 2025, 0 to 23; may repeat. Default 0 and 6.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the lender; the same one gives the same bytes.")] = 1,
    name: Annotated[str, typer.Option("--world", help=f"Form of the world: {', '.join(WORLDS)}.")] = "segments",
    randomised: Annotated[
        float | None, typer.Option(help="Share of account-months decided by recorded chances. Default 0.25.", min=0.0, max=1.0)
    ] = None,
) -> None:
    """Write a simulated lender into a data folder of its own, with its own copy of the shipped models.

    Example: python scripts/simulate_lender.py --data var/simulated --accounts 400000 --month 0 --month 6
    """
    months = sorted(set(month or [0, 6]))
    with progress_bar("simulating") as report:
        report(SolveProgress("live", 0.1))
        try:
            chosen = world(name)
        except ValueError as error:
            raise refuse(Reason.INVALID_ARGUMENT, "world", f"{error}.", "Name one of the worlds.") from error
        try:
            lived = chosen.lender(seed, accounts, randomised).history(months)
        except ValueError as error:
            raise refuse(Reason.INVALID_ARGUMENT, "month", f"{error}.", "Use months 0 to 23.") from error
        # Models of its own: what is learned from a simulated lender must never lie among the shipped ones.
        if not (data / "models").exists():
            shutil.copytree(shipped_models(), data / "models")
            # A trial needs no second person, and every act says so.
            write_policy(data / "models", replace(read_policy(data / "models"), self_approving=True))
        lines = []
        with opened(data, data / "models", may_make=True) as workspace:
            for place, one in enumerate(lived):
                name = f"simulated-month-{one.month}"
                report(SolveProgress(f"import {name}", 0.4 + 0.6 * place / len(lived)))
                made = workspace.books.import_portfolio(name, one.snapshot.raw)
                path = data / f"{name}.csv"
                log_table(one.log, simulated=True).to_csv(path, index=False)
                recoveries = recoveries_table(recovered_accounts(one), simulated=True)
                recoveries.to_csv(data / f"{name}-recoveries.csv", index=False)
                lines.append([name, str(path), f"{made.accepted_count:,}", f"{int(one.log.randomised.sum()):,}"])
            plan = stored_plan(workspace, chosen.plan(0.2 * lived[0].account_count))
    held = measured_parameters(WORLD_VALUE, [one.snapshot for one in lived[:1]], [lived[0].recovery_minor])
    (data / PARAMETERS_FILE).write_text(tomli_w.dumps(asdict(held)), encoding="utf-8")
    console = terminal()
    title = f"Simulated lender, world {name}, seed {seed} (SIMULATED: no person, no lender), plan {plan.plan_id}"
    console.print(table(title, ["portfolio", "contact log", "late accounts", "randomised"], lines, text_columns=2))
    PlainConsole(stderr=True).print(
        "Next: scripts/train_effects.py on one month, scripts/evaluate_policy.py on a later one.", style="dim"
    )


def stored_plan(workspace: Workspace, wanted: CapacityPlan) -> CapacityPlan:
    """Store a plan where it is not there yet, as its next version where another one is."""
    try:
        held, record = workspace.books.plan(wanted.plan_id)
    except CollectionsError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        workspace.books.save_plan(wanted, None)
        return wanted
    if replace(held, version=wanted.version) != wanted:
        workspace.books.save_plan(wanted, record.etag)
    return wanted


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
