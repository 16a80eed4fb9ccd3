"""Save, approve and show value parameters: what accounts are worth, by product, in force from a day on.

Example:
    python scripts/parameters.py save --file examples/parameters.toml --set-id cards --effective-from 2026-01-01 --actor ann
    python scripts/parameters.py approve --set-id cards --version 1 --actor ben
    python scripts/parameters.py in-force --portfolio book-2026-11
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import tomli_w
import typer
from google.type.date_pb2 import Date

from collections_opt.api.v1 import parameters_service_pb2 as pb
from collections_opt.api.v1 import portfolio_service_pb2, value_set_pb2
from collections_opt.api.v1.model_use_pb2 import ApprovalMode
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run_commands
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.approved import all_value_set_versions, all_value_sets, save_value_set, value_set
from collections_opt.client.client import Client
from collections_opt.client.plain import plain
from collections_opt.client.rankings import new_request_id
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import mode_remark
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.datasets.settings_files import read_settings
from collections_opt.reports.value_report import sources_table, values_table
from collections_opt.wire.common import read_date, write_date
from collections_opt.wire.parameters import read_parameters, write_parameters

SetOption = Annotated[str, typer.Option(help="Id of the set.")]
VersionOption = Annotated[int, typer.Option(help="Version of the set; 0 is its latest.")]
NoteOption = Annotated[str, typer.Option(help="Why, for the record.")]
CheckOption = Annotated[bool, typer.Option("--check", help="Check everything and record nothing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def save(
    product: Product,
    file: Annotated[Path, typer.Option(help="TOML file of value parameters; examples/parameters.toml shows one.")],
    set_id: SetOption,
    effective_from: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First as-of date for which they may be used.")],
    portfolio: Annotated[
        list[str] | None,
        typer.Option(help="Portfolio that they serve, or the beginning of ids with '*'; repeat; none: every portfolio."),
    ] = None,
    follows: Annotated[
        int, typer.Option(min=0, help="Version that this one follows: the latest, exported and changed. 0 for a new set.")
    ] = 0,
    note: NoteOption = "",
    check: CheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """Save a file as the first version of a set, or as the one that follows another; it is used once a second person approved it.

    Example: python scripts/parameters.py save --file examples/parameters.toml --set-id cards --effective-from 2026-01-01
    """
    message = value_set_pb2.ValueSet(
        set_id=set_id,
        effective_from=write_date(effective_from.date()),
        value_parameters=write_parameters(read_settings(file, ValueParameters)),
        portfolio_patterns=portfolio or [],
    )
    with product.connect() as client:
        saved = save_value_set(client, message, follows, note, check)
    if as_json:
        typer.echo(json.dumps(plain(saved), indent=1))
        return
    show_set(saved)
    if check:
        typer.echo("The set is in order; nothing was saved.")
    else:
        typer.echo(f"Saved as {name_of(saved)}; it is used from its day once somebody else approved it:")
        typer.echo(f"  python scripts/parameters.py approve --set-id {set_id} --version {saved.state.version} --actor NAME")


def approve(
    product: Product,
    set_id: SetOption,
    version: Annotated[int, typer.Option(help="Version to approve.")],
    self_approved: Annotated[
        bool, typer.Option("--self-approved", help="You saved it, no second person looks, and every record says so.")
    ] = False,
    note: NoteOption = "",
    check: CheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a version come into force from its day on; who saved it does not approve it.

    Example: python scripts/parameters.py approve --set-id cards --version 1 --actor ben --note "checked against the ledger"
    """
    request = pb.ApproveValueSetRequest(
        request_id=new_request_id(),
        set_id=set_id,
        version=version,
        self_approved=self_approved,
        note=note,
        validate_only=check,
    )
    with product.connect() as client:
        approved = client.parameters.ApproveValueSet(request).value_set
    if as_json:
        typer.echo(json.dumps(plain(approved), indent=1))
        return
    stands = "may be approved; nothing was recorded" if check else f"was approved by {approval_of(approved)}"
    typer.echo(f"{name_of(approved)} {stands}; effective from {day_of(approved)}.")


def list_command(
    product: Product,
    set_id: Annotated[str, typer.Option(help="List every version of this set; default the latest of each.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the sets, or the versions of one.

    Example: python scripts/parameters.py list --data var/demo
    """
    with product.connect() as client:
        found = list(all_value_set_versions(client, set_id) if set_id else all_value_sets(client))
    if as_json:
        typer.echo(json.dumps([plain(each) for each in found], indent=1))
        return
    header = ["set", "effective from", "products", "portfolios", "saved by", "approved by"]
    lines = [
        [
            *(name_of(each), day_of(each), ", ".join(sorted(each.value_parameters.products)), portfolios_of(each)),
            *(each.state.saved_by.name, approval_of(each)),
        ]
        for each in found
    ]
    terminal().print(table("Value parameters", header, lines, text_columns=6))


def show(product: Product, set_id: SetOption, version: VersionOption = 0, as_json: JsonOption = False) -> None:
    """Show a version of a set: its values by product, each with its source, and who stands behind it.

    Example: python scripts/parameters.py show --set-id shipped-values
    """
    with product.connect() as client:
        found = value_set(client, set_id, version)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    show_set(found)


def in_force(
    product: Product,
    portfolio: Annotated[str, typer.Option(help="Portfolio that is valued; not given: the sets that name none.")] = "",
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="On which day; default the portfolio's as-of date.")
    ] = None,
    of_product: Annotated[
        list[str] | None,
        typer.Option("--product", help="Code of a product that needs values; repeat; default all that have some."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show which version gives each product its values on a day, as a ranking would take them.

    Example: python scripts/parameters.py in-force --portfolio book --as-of 2026-11-24 --product CREDIT_CARD
    """
    with product.connect() as client:
        day = write_date(as_of.date()) if as_of else _as_of_date(client, portfolio)
        request = pb.GetValuesInForceRequest(portfolio_id=portfolio, as_of_date=day, products=of_product or [])
        found = client.parameters.GetValuesInForce(request)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    parameters = read_parameters(found.value_parameters)
    of = f" for {portfolio}" if portfolio else ""
    console = terminal()
    console.print(table(f"In force on {read_date(day, 'as_of_date')}{of}", *_choices(found.choices), text_columns=4))
    console.print(table(f"Values of {parameters.version}", *values_table(parameters)))


def export(
    product: Product,
    set_id: SetOption,
    version: VersionOption = 0,
    out: Annotated[Path | None, typer.Option(help="File to write; default: print it.")] = None,
) -> None:
    """Write a version as the TOML file that save reads, to change it and save it as the next.

    Example: python scripts/parameters.py export --set-id shipped-values --out var/values.toml
    """
    with product.connect() as client:
        found = value_set(client, set_id, version)
    text = toml_of(found)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    typer.echo(f"Written: {out}")


def toml_of(found: value_set_pb2.ValueSet) -> str:
    """Return the parameters of a set as TOML, under a line that says what they were saved as."""
    held = asdict(read_parameters(found.value_parameters))
    named = "".join(f" --portfolio '{each}'" for each in found.portfolio_patterns)
    named += f" --follows {found.state.version}"
    head = f"# {name_of(found)}: --set-id {found.set_id} --effective-from {day_of(found)}{named}\n"
    kept = {name: held[name] for name in ("version", "discount_rate", "horizon_days", "cost_basis", "products")}
    return head + tomli_w.dumps(kept)


def show_set(found: value_set_pb2.ValueSet) -> None:
    """Print a version: what it says, and who stands behind it."""
    parameters, console = read_parameters(found.value_parameters), terminal()
    console.print(f"{name_of(found)}, effective from {day_of(found)}, for {portfolios_of(found)}", highlight=False, style="bold")
    console.print(f"saved by {found.state.saved_by.name or '-'}; approved by {approval_of(found)}", highlight=False)
    if found.state.note:
        console.print(f"note: {found.state.note}", highlight=False)
    console.print(table(f"Values of {parameters.version}", *values_table(parameters)))
    console.print(table("Sources", *sources_table(parameters), text_columns=5))


def name_of(found: value_set_pb2.ValueSet) -> str:
    """Return id and version; of what was only checked the id."""
    return f"{found.set_id}/{found.state.version}" if found.state.version else found.set_id


def day_of(found: value_set_pb2.ValueSet) -> str:
    """Return the first day of a version."""
    return read_date(found.effective_from, "effective_from").isoformat()


def portfolios_of(found: value_set_pb2.ValueSet) -> str:
    """Return which portfolios a version serves."""
    return ", ".join(found.portfolio_patterns) or "every portfolio"


def approval_of(found: value_set_pb2.ValueSet) -> str:
    """Return who approved a version; what no second person looked at says so."""
    if not found.state.HasField("approval"):
        return "nobody yet"
    return found.state.approval.approver.name + mode_remark(_mode(found.state.approval.mode))


def _mode(mode: ApprovalMode.ValueType) -> str:
    return ApprovalMode.Name(mode).removeprefix("APPROVAL_MODE_")


def _choices(choices: Iterable[value_set_pb2.ValueChoice]) -> tuple[list[str], list[list[str]]]:
    lines = [[c.product, f"{c.set_id}/{c.version}", _mode(c.approval_mode), c.digest[:16]] for c in choices]
    return ["product", "values of", "approved by", "content"], lines


def _as_of_date(client: Client, portfolio: str) -> Date:
    if not portfolio:
        raise refuse(Reason.INVALID_ARGUMENT, "as_of", "is missing.", "Give --as-of, or --portfolio of an imported one.")
    request = portfolio_service_pb2.GetPortfolioRequest(portfolio_id=portfolio)
    return client.portfolios.GetPortfolio(request).portfolio.as_of_date


def command() -> None:
    """Run the command with the arguments of the process."""
    run_commands(
        "Save, approve and show value parameters. Example: python scripts/parameters.py list --data var/demo",
        save,
        approve,
        list_command,
        show,
        in_force,
        export,
    )
