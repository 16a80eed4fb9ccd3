"""Say how a recorded ranking treats groups that a file names: contact, minutes, benefit, hardship access; pressure and neglect.

Example:
    python scripts/fair_treatment.py --data var/demo --bundled-groups
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.exports import export_entries
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.fair_treatment import fair_treatment
from collections_opt.datasets.files.group_files import bundled_groups, read_groups
from collections_opt.reports.evaluation.fair_treatment_report import FAIRNESS_NOTE, fairness_rows, fairness_table


def main(
    product: Product,
    groups: Annotated[Path | None, typer.Option(help="CSV or Parquet: account_id and a column per attribute.")] = None,
    bundled: Annotated[
        bool, typer.Option("--bundled-groups", help="Use the groups of the bundled credit-card accounts.")
    ] = False,
    hardship_queue: Annotated[list[str] | None, typer.Option(help="Queue for people in difficulty; may repeat.")] = None,
    ranking: RankingOption = IN_FORCE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Report the treatment of groups; the group file is read here, beside the recorded decision, and never sent to the server.

    Example: python scripts/fair_treatment.py --data var/demo --bundled-groups
    """
    if (groups is None) != bundled:
        raise refuse(Reason.INVALID_ARGUMENT, "groups", "one source of groups is needed.", "Give --groups or --bundled-groups.")
    with product.connect() as client:
        made = named_ranking(client, ranking)
        entries = export_entries(client, made)
    queue_ids = [queue.queue_id for queue in made.queues]
    names = ["hardship"] if hardship_queue is None and "hardship" in queue_ids else hardship_queue or []
    unknown = [name for name in names if name not in queue_ids]
    if unknown:
        known = ", ".join(queue_ids)
        raise refuse(Reason.NOT_FOUND, "hardship_queue", f"{unknown[0]!r} is not in the plan.", f"Use one of: {known}.")
    aligned = read_groups(groups, entries.account_id) if groups else bundled_groups(entries.account_id)
    treatments = fair_treatment(entries, aligned.held, [queue_ids.index(name) for name in names])
    if as_json:
        typer.echo(json.dumps(fairness_rows(treatments), indent=1))
        return
    header, lines = fairness_table(treatments, made.inputs.currency_code)
    console = terminal()
    console.print(f"{aligned.match.sentence(groups.name if groups else 'the bundled groups').capitalize()}.")
    console.print(table(f"Treatment of groups in {made.ranking_id} ({made.inputs.currency_code})", header, lines, text_columns=2))
    console.print(FAIRNESS_NOTE, style="dim")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
