"""Save, approve, show, export and try rule tables: whom the law and the lender let be contacted.

Example:
    python scripts/rules.py save --data var/demo --file examples/city_rules.toml --actor ann
    python scripts/rules.py approve --data var/demo --table springfield-rules --version 1 --actor ben
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.api.v1 import capacity_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import rule_evaluation_pb2
from collections_opt.api.v1 import rule_service_pb2 as pb
from collections_opt.api.v1.ranking_pb2 import Ranking
from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking, now
from collections_opt.cli.common.running import run_commands
from collections_opt.cli.common.terminal import progress_bar, table, terminal
from collections_opt.cli.desk.rule_files import file_of, message_of, rule_table_lines, show_table, state_of, table_lines
from collections_opt.client.approved import all_rule_table_versions, all_rule_tables, rule_table, save_rule_table
from collections_opt.client.capacity import evaluate_rules, summarise_rules
from collections_opt.client.plain import plain
from collections_opt.client.rankings import new_request_id, summarise
from collections_opt.core.ranking.what_if_summary import RuleWhatIfSummary
from collections_opt.datasets.rule_files import read_rule_file, rule_file_text
from collections_opt.reports.ranking_report import evidence_sentence
from collections_opt.reports.what_if.report import moved_table
from collections_opt.reports.what_if.rule_page import RuleWhatIfPage, rule_what_if_html
from collections_opt.reports.what_if.rule_what_if_report import (
    rule_effect_table,
    rule_queue_table,
    rule_what_if_csv,
    rules_change,
    rules_headline,
    rules_sentence,
)
from collections_opt.wire.common import write_date

FileOption = Annotated[Path, typer.Option(help="TOML file of the table; examples/city_rules.toml shows one.")]
NoteOption = Annotated[str, typer.Option(help="Why, for the record.")]
DryOption = Annotated[bool, typer.Option("--check", "--validate-only", help="Check everything and record nothing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
HEADER = ["table", "version", "from", "rules", "state", "saved by", "approved by", "title"]


def save(
    product: Product, file: FileOption, note: NoteOption = "", validate_only: DryOption = False, as_json: JsonOption = False
) -> None:
    """Save a table of a file as its first version, or as the one that follows the version that the file names.

    It binds nobody before a second person approved it.

    Example: python scripts/rules.py save --data var/demo --file examples/city_rules.toml --actor ann
    """
    held = read_rule_file(file)
    with product.connect() as client:
        saved = save_rule_table(client, message_of(held), held.follows, note, validate_only)
    if as_json:
        typer.echo(json.dumps(plain(saved), indent=1))
        return
    done = "is in order; nothing was saved" if validate_only else "is saved; a second person approves it next"
    name = saved.rule_table_id if validate_only else f"{saved.rule_table_id}/{saved.state.version}"
    show_table(terminal(), saved, f"{name} {done}")


def approve(
    product: Product,
    table_id: Annotated[str, typer.Option("--table", help="Id of the rule table.")],
    version: Annotated[int, typer.Option(min=1, help="Version to approve.")],
    self_approved: Annotated[
        bool, typer.Option("--self-approved", help="You saved it, and know that every record says that nobody else looked.")
    ] = False,
    note: NoteOption = "",
    validate_only: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a version bind from its first day on; who saved it does not approve it.

    Example: python scripts/rules.py approve --data var/demo --table springfield-rules --version 1 --actor ben
    """
    request = pb.ApproveRuleTableRequest(
        request_id=new_request_id(),
        rule_table_id=table_id,
        version=version,
        self_approved=self_approved,
        note=note,
        validate_only=validate_only,
    )
    with product.connect() as client:
        found = client.rules.ApproveRuleTable(request).rule_table
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    stands = "may be approved; nothing was recorded" if validate_only else f"is {state_of(found)}"
    show_table(terminal(), found, f"{table_id}/{version} {stands}")


def list_command(
    product: Product,
    table_id: Annotated[str, typer.Option("--table", help="List the versions of this table; default the latest of each.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the tables, or the versions of one, and where each stands.

    Example: python scripts/rules.py list --data var/demo
    """
    with product.connect() as client:
        found = list(all_rule_table_versions(client, table_id) if table_id else all_rule_tables(client))
    if as_json:
        typer.echo(json.dumps([plain(each) for each in found], indent=1))
        return
    title = f"Versions of {table_id}, newest first" if table_id else "Rule tables"
    terminal().print(table(title, HEADER, table_lines(found)))


def show(
    product: Product,
    table_id: Annotated[str, typer.Option("--table", help="Id of the rule table.")] = "shipped-rules",
    version: Annotated[int, typer.Option(min=0, help="Version; 0 is the latest, approved or not.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show the rules of a table, each with its source and days.

    Example: python scripts/rules.py show --data var/demo --table shipped-rules
    """
    with product.connect() as client:
        found = rule_table(client, table_id, version)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    show_table(terminal(), found, f"{table_id}/{found.state.version} is {state_of(found)}")


def in_force(
    product: Product,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As-of date; default today.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what binds on a day: all tables in force, together.

    Example: python scripts/rules.py in-force --data var/demo --day 2027-01-01
    """
    asked = (day or now()).date()
    with product.connect() as client:
        found = client.rules.GetRulesInForce(pb.GetRulesInForceRequest(as_of_date=write_date(asked)))
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    console = terminal()
    console.print(table(f"In force on {asked}: {found.rules_version}", HEADER, table_lines(found.rule_tables)))
    console.print(table("Rules", *rule_table_lines(found.rule_tables, asked), text_columns=4))


def export(
    product: Product,
    table_id: Annotated[str, typer.Option("--table", help="Id of the rule table.")] = "shipped-rules",
    version: Annotated[int, typer.Option(min=0, help="Version; 0 is the latest, approved or not.")] = 0,
    out: Annotated[Path | None, typer.Option(help="File to write; default the terminal.")] = None,
) -> None:
    """Write a table as a TOML file, to be changed and saved as the next version.

    Example: python scripts/rules.py export --data var/demo --table shipped-rules --out my_rules.toml
    """
    with product.connect() as client:
        text = rule_file_text(file_of(rule_table(client, table_id, version)))
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, "utf-8")
    typer.echo(f"written: {out}")


def what_if(
    product: Product,
    file: Annotated[list[Path], typer.Option(help="TOML file of a table to take as in force; repeatable.")],
    ranking: RankingOption = IN_FORCE,
    moved: Annotated[int, typer.Option(min=1, max=1_000, help="Moved accounts to list.")] = 10,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page with figures that opens offline.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the queues before and after, and the rules, as CSV.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what tables would do to money, minutes and accounts of a ranking if they were in force; nothing is recorded.

    Their rules bind on the ranking's day even if they start later or are only proposed.

    Example: python scripts/rules.py what-if --data var/demo --file examples/city_rules.toml --ranking in-force --html rules.html
    """
    tables = [message_of(read_rule_file(each)) for each in file]
    with product.connect() as client:
        used = named_ranking(client, ranking)
        start = evaluation_pb.CapacityBasis(ranking_id=used.ranking_id)
        request = rule_evaluation_pb2.EvaluateRulesRequest(basis=start, rule_tables=tables, max_moved_accounts=moved)
        with progress_bar("evaluating") as report:
            evaluation = evaluate_rules(client, request, report)
    found, console = summarise_rules(evaluation), terminal()
    if html:
        html.write_text(rule_what_if_html(_page(found, used, file)), encoding="utf-8")
    if csv:
        csv.write_text(rule_what_if_csv(found), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(plain(evaluation), indent=1))
        return
    console.print(rules_headline(found), style="bold", highlight=False)
    if not rules_change(found):
        return
    console.print(rules_sentence(found), highlight=False)
    if found.effects:
        console.print(table("Rules that block other accounts", *rule_effect_table(found), text_columns=2))
    console.print(table(f"Queues, before → after ({found.compared.currency_code})", *rule_queue_table(found)))
    if found.compared.moved:
        console.print(table("The most valuable accounts that move", *moved_table(found.compared), text_columns=3))


def _page(found: RuleWhatIfSummary, used: Ranking, files: list[Path]) -> RuleWhatIfPage:
    inputs = used.inputs
    facts = [
        ("ranking", used.ranking_id),
        ("record", used.record.record_digest),
        ("portfolio", inputs.portfolio_id),
        ("capacity plan", f"{inputs.capacity_plan_id} version {inputs.capacity_plan_version}"),
        ("rules of the ranking", inputs.rules_version),
        ("rules tried", ", ".join(each.name for each in files)),
    ]
    return RuleWhatIfPage(f"What if these rules were in force: {facts[-1][1]}", found, facts, evidence_sentence(summarise(used)))


def command() -> None:
    """Run the command with the arguments of the process."""
    run_commands(
        "Save, approve, show, export and try rule tables. Example: python scripts/rules.py list --data var/demo",
        save,
        approve,
        list_command,
        show,
        in_force,
        export,
        what_if,
    )
