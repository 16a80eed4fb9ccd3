"""Tell what became of accounts, let rankings mature once their horizons have passed, and show what they matured into.

Example:
    python scripts/outcomes.py record --data var/demo --portfolio november --file outcomes.csv
    python scripts/outcomes.py mature --data var/demo --terms outcome_terms.toml
    python scripts/outcomes.py list --data var/demo
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict

from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.cli.common.product import Product, named_ranking
from collections_opt.cli.common.running import run_commands
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.outcomes import list_maturities, list_outcomes, mature_rankings, record_outcomes
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.outcomes.terms import EVERY_OTHER, Outcome, OutcomeTerms, ProductTerms
from collections_opt.datasets.files.told_outcome_files import read_told_outcomes
from collections_opt.datasets.settings_files import read_settings
from collections_opt.wire.common import read_date

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PortfolioOption = Annotated[str, typer.Option(help="Portfolio whose accounts they are.")]
COLUMNS = (
    "account_id",
    "outcome",
    "source",
    "outcome_days",
    "horizon_days",
    "event_sequence",
    "contradicted",
    "cash_minor_units",
)


def record(
    product: Product,
    portfolio: PortfolioOption,
    file: Annotated[Path, typer.Option(help="CSV or Parquet file: account_id, outcome, outcome_date, perhaps cash_minor_units.")],
    check: Annotated[bool, typer.Option("--check", help="Check every row, record nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Record what a file tells of a portfolio's accounts: CURED, DEFAULTED, STAYED, SOLD, RECALLED, CLOSED, DIED or SETTLED.

    Example: python scripts/outcomes.py record --data var/demo --portfolio november --file outcomes.csv
    """
    told = read_told_outcomes(file)
    with product.connect() as client:
        answer = record_outcomes(client, portfolio, told, file.name, check)
    if as_json:
        typer.echo(json.dumps({"rows": answer.row_count, "sequence": answer.sequence}, indent=1))
    elif check:
        terminal().print(f"{answer.row_count:,} rows are in order; nothing was recorded.")
    else:
        terminal().print(f"{answer.row_count:,} rows are recorded under number {answer.sequence}.")


def mature(
    product: Product,
    ranking: Annotated[list[str] | None, typer.Option(help="Ranking; default: all whose horizons have passed.")] = None,
    terms: Annotated[
        Path | None,
        typer.Option(help="TOML file: grace_days, and [products.CODE] horizon_days and default_days_past_due."),
    ] = None,
    horizon_days: Annotated[int, typer.Option(help="Horizon of every product, in place of a file.")] = 0,
    default_days_past_due: Annotated[int, typer.Option(help="Line of default of every product, likewise.")] = 0,
    later: Annotated[list[str] | None, typer.Option(help="Later portfolio to read; default: every one that may tell.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find what became of every account of rankings whose horizons have passed; running it again records only what is new.

    Example: python scripts/outcomes.py mature --data var/demo --horizon-days 30 --default-days-past-due 90
    """
    by = _terms(terms, horizon_days, default_days_past_due)
    with product.connect() as client:
        done = list(mature_rankings(client, by, ranking or [], later or []))
    _print(done, as_json, "No ranking is due: none has passed its horizon that has not matured.")


def list_command(
    product: Product,
    portfolio: Annotated[str, typer.Option(help="Those of a portfolio; default all.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List what rankings matured into, oldest first.

    Example: python scripts/outcomes.py list --data var/demo
    """
    with product.connect() as client:
        found = list(list_maturities(client, portfolio_id=portfolio))
    _print(found, as_json, "No ranking has matured yet.")


def show(
    product: Product,
    ranking: Annotated[str, typer.Option(help="Ranking, or in-force.")],
) -> None:
    """Print what became of each account of a ranking, and what told it, as CSV.

    Example: python scripts/outcomes.py show --data var/demo --ranking RANKING > outcomes.csv
    """
    with product.connect() as client:
        ranking_id = named_ranking(client, ranking).ranking_id
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(COLUMNS)
        for one in list_outcomes(client, ranking_id):
            rows.writerow([_cell(one, name) for name in COLUMNS])


def _cell(one: pb.MaturedOutcome, name: str) -> object:
    if name == "outcome":
        return _name(pb.HorizonOutcome.Name(one.outcome))
    if name == "source":
        return pb.OutcomeSource.Name(one.source).removeprefix("OUTCOME_SOURCE_")
    if name == "cash_minor_units" and not one.HasField("cash_minor_units"):
        return ""
    return getattr(one, name)


def _name(enum: str) -> str:
    return enum.removeprefix("HORIZON_OUTCOME_")


def _terms(file: Path | None, horizon_days: int, default_days_past_due: int) -> OutcomeTerms:
    if file is not None:
        return read_settings(file, OutcomeTerms)
    if not horizon_days or not default_days_past_due:
        told = "nothing says when outcomes count."
        remedy = "Give --terms FILE, or --horizon-days and --default-days-past-due for every product."
        raise refuse(Reason.INVALID_ARGUMENT, "--terms", told, remedy)
    return OutcomeTerms({EVERY_OTHER: ProductTerms(horizon_days, default_days_past_due)})


def _print(found: list[pb.Maturity], as_json: bool, nothing: str) -> None:
    if as_json:
        plain = [MessageToDict(one, preserving_proto_field_name=True, always_print_fields_with_no_presence=True) for one in found]
        typer.echo(json.dumps(plain, indent=1))
        return
    if not found:
        terminal().print(nothing)
        return
    short = (Outcome.CURED, Outcome.DEFAULTED, Outcome.STAYED, Outcome.NOT_SEEN)
    header = ["ranking", "as of", *(one.name.lower().replace("_", " ") for one in short), "left before", "contradicted"]
    lines = []
    for one in found:
        counts = {_name(pb.HorizonOutcome.Name(each.outcome)): each.account_count for each in one.counts}
        left = sum(count for name, count in counts.items() if name not in {each.name for each in short})
        shown = [*(counts[each.name] for each in short), left, one.contradicted_count]
        lines.append([one.ranking_id, str(read_date(one.as_of_date, "as_of_date")), *(f"{count:,}" for count in shown)])
    console = terminal()
    console.print(table("Matured rankings, accounts by outcome", header, lines, text_columns=2))
    every = [each for one in found for each in one.counts]
    total = sum(each.account_count for each in every)
    unseen = sum(each.account_count for each in every if each.outcome == pb.HORIZON_OUTCOME_NOT_SEEN)
    if unseen:
        console.print(
            f"{unseen:,} of {total:,} accounts were not seen at their horizon: tell of them by events, a later portfolio or "
            "outcomes record. Those that were seen stand for them, which is right only if leaving sight tells nothing."
        )


def command() -> None:
    """Run the command with the arguments of the process."""
    run_commands(
        "Tell what became of accounts and let rankings mature. Example: python scripts/outcomes.py list --data var/demo",
        record,
        mature,
        list_command,
        show,
    )
