"""Write how a book's persons were treated over a year: contacts, outcomes of vulnerable people beside others, experiments' costs.

Example:
    python scripts/portfolio_pack.py --data var/demo --from 2005-01-01 --to 2005-12-31 --out book.zip
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from collections_opt import __version__
from collections_opt.api.v1 import experiment_pb2, experiment_service_pb2
from collections_opt.api.v1 import pack_service_pb2 as pb
from collections_opt.cli.common.experiment_answers import read_findings
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.client import Client
from collections_opt.client.exports import portfolio_pack
from collections_opt.client.listings import all_experiments
from collections_opt.client.plain import plain
from collections_opt.core.codes.currencies import currency
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.experiments.findings import ExperimentFindings
from collections_opt.reports.packs.book import EXPERIMENT_HEADER, TITLES, BookPage, ShownTable, book_html, headline, shown_table
from collections_opt.wire.common import enum_text, read_date

_EPOCH_ZIP = (1980, 1, 1, 0, 0, 0)

READ_ME = """\
How a book's persons were treated from {first} to {last}, made by collections-opt {version}.

book.html          to read
pack.json          the same for machines: tables of persons, small counts left out, and what each experiment shows and cost

Counts of 1 to {most} are hidden, and with them whatever would tell them.
"""


def main(
    product: Product,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    portfolios: Annotated[list[str] | None, typer.Option(help="Pattern of portfolio ids, such as cards-*; may repeat.")] = None,
    out: Annotated[Path, typer.Option(help="Archive to write.")] = Path("book.zip"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Write the pack of a book.

    Example: python scripts/portfolio_pack.py --data var/demo --from 2005-01-01 --to 2005-12-31
    """
    with product.connect() as client:
        pack = portfolio_pack(client, first.date(), last.date(), portfolios or ())
        read = list(_experiments(client, pack))
    page = BookPage(
        first=str(first.date()),
        last=str(last.date()),
        books=", ".join(portfolios or ["all"]),
        ranking_count=pack.ranking_count,
        matured_count=pack.matured_ranking_count,
        person_count=pack.person_count,
        contact_count=pack.contact_count if pack.HasField("contact_count") else None,
        least=pack.least_count,
        tables=tuple(_table(one) for one in pack.tables),
        experiments=tuple(_line(experiment, answer, why) for experiment, answer, why in read),
    )
    content = {
        "pack": plain(pack),
        "experiments": [
            {"experiment": plain(experiment), "reading": plain(answer) if answer else None, "not_read": why}
            for experiment, answer, why in read
        ],
    }
    files = {
        "README.txt": READ_ME.format(first=page.first, last=page.last, version=__version__, most=page.least - 1),
        "book.html": book_html(page),
        "pack.json": json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
    }
    out.write_bytes(_zipped(files))
    if as_json:
        typer.echo(files["pack.json"], nl=False)
        return
    console = terminal()
    console.print(headline(page), style="bold")
    for one in page.tables:
        console.print(table(TITLES[one.name], *shown_table(one)))
    if page.experiments:
        console.print(table("Experiments", EXPERIMENT_HEADER, [list(line) for line in page.experiments], text_columns=2))
    console.print(f"{out} holds the page and the same for machines.")


Read = tuple[experiment_pb2.Experiment, experiment_service_pb2.ReadExperimentResponse | None, str]


def _experiments(client: Client, pack: pb.GetPortfolioPackResponse) -> Iterator[Read]:
    """Yield the started experiments of these days, each with what it shows, or why that cannot be said."""
    first, last = read_date(pack.first_date, "first_date"), read_date(pack.last_date, "last_date")
    for one in all_experiments(client):
        ends = read_date(one.stop_date if one.HasField("stop_date") else one.end_date, "end_date")
        never = one.standing == experiment_pb2.EXPERIMENT_STATE_DRAFT
        if never or ends < first or read_date(one.start_date, "start_date") > last:
            continue
        try:
            request = experiment_service_pb2.ReadExperimentRequest(experiment_id=one.experiment_id)
            yield one, client.experiments.ReadExperiment(request), ""
        except CollectionsError as error:
            if error.reason not in (Reason.RESOURCE_STATE_CONFLICT, Reason.PERMISSION_DENIED):
                raise
            yield one, None, str(error)


def _line(
    experiment: experiment_pb2.Experiment, answer: experiment_service_pb2.ReadExperimentResponse | None, why: str
) -> tuple[str, ...]:
    ends = experiment.stop_date if experiment.HasField("stop_date") else experiment.end_date
    days = f"{read_date(experiment.start_date, 'start_date')} to {read_date(ends, 'end_date')}"
    what = "for a queue" if experiment.arm == experiment_pb2.EXPERIMENT_ARM_RANDOM_QUEUE else "left alone"
    if experiment.challenger_plan_id:
        what = f"worked by {experiment.challenger_plan_id}"
    head = (experiment.experiment_id, days, f"{experiment.share:.1%} {what}")
    if answer is None:
        return (*head, "-", "-", "-", "-", why)
    found = read_findings(answer)
    return (*head, f"{found.matured_count:,}", *_money(found), found.headline)


def _money(found: ExperimentFindings) -> tuple[str, str, str]:
    unit, effect, group = currency(found.currency_code), found.cash, found.reading.groups[0]
    predicted = f"{unit.exact(found.predicted_cost_minor)} {unit.code}"
    if effect is None:
        return "-", "-", predicted
    low, high = (effect.fixed_low, effect.fixed_high) if found.is_final else (effect.anytime_low, effect.anytime_high)
    shown = f"{unit.exact(effect.effect)} ({unit.exact(low)} to {unit.exact(high)}) {unit.code}"
    if found.design.arm is ArmKind.TWO_PLANS:  # nobody was left out: what the worse plan lost is the effect
        return shown, "-", "-"
    return shown, f"{unit.exact(effect.effect * group.held_out_count)} {unit.code}", predicted


def _table(one: pb.PersonTable) -> ShownTable:
    cells: list[tuple[Any, ...]] = [
        tuple((cell.count, cell.share) if cell.HasField("count") else None for cell in row.cells) for row in one.rows
    ]
    totals = tuple(row.count for row in one.rows)
    name = enum_text(pb.PersonTableKind.DESCRIPTOR, one.kind).lower()
    return ShownTable(name, tuple(one.kinds), tuple(one.groups), tuple(one.group_counts), totals, tuple(cells))


def _zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH_ZIP), text.encode())
    return buffer.getvalue()


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
