"""Tell a server what happened, from a CSV file: payments, promises, contacts, flags, reviews; telling a file again is free.

Example:
    python scripts/record_events.py --data var/demo --file payments.csv --mapping payments.toml
    python scripts/record_events.py --data var/demo --file payments.csv --check
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import terminal
from collections_opt.client.day import record_reviews, stream_events
from collections_opt.core.day.events import EventKind
from collections_opt.datasets.files.event_files import EventMapping, read_events
from collections_opt.datasets.settings_files import read_settings
from collections_opt.wire.events import write_event, write_review


def main(
    product: Product,
    file: Annotated[Path, typer.Option(help="CSV file, an event a row; columns are fields of events unless mapped.")],
    mapping: Annotated[
        Path | None, typer.Option(help="TOML file: [columns] field = column, [constants] field = text, time_zone, currency_code.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check every row, record nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a sentence.")] = False,
) -> None:
    """Record the events of a file; every fault is named by line, and nothing is sent while there is one.

    Reviews are recorded as of --actor, the person who looked.

    Example: python scripts/record_events.py --data var/demo --file payments.csv --mapping payments.toml
    """
    by = read_settings(mapping, EventMapping) if mapping else EventMapping()
    events = list(read_events(file, by, datetime.now(UTC)))
    answer = {"events": len(events), "recorded": 0, "repeated": 0, "last_sequence": 0}
    if events and not check:
        reviews = [event for event in events if event.kind is EventKind.REVIEW]
        others = [event for event in events if event.kind is not EventKind.REVIEW]
        with product.connect() as client:
            for told in (
                *([stream_events(client, map(write_event, others))] if others else []),
                record_reviews(client, map(write_review, reviews)),
            ):
                answer["recorded"] += told.recorded_count
                answer["repeated"] += told.repeated_count
                answer["last_sequence"] = max(answer["last_sequence"], told.last_sequence)
    if as_json:
        typer.echo(json.dumps(answer, indent=1))
    elif check:
        terminal().print(f"{len(events)} events are in order; nothing was recorded.")
    else:
        terminal().print(f"{answer['recorded']} events recorded, {answer['repeated']} were there already.")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
