"""Edits of rows, objects, checkpoints and keys around every guard: each must be found, and found where it was made.

    python -m harness.faults.tampering --count 1000

Every edit is made on a verified ledger by someone who owns the disk and the database, judged by what `verify log` and `verify
ranking` say of it, and undone. An edit counts as found when a check fails, and as located when what fails names the ranking, the
portfolio, the object, the event, the log entry or the checkpoint that was edited, or holds only for the ranking that owns it.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.ledger.store.schema import metadata
from harness.faults.edits import EDITS, KINDS, TABLES, Bench, Edit, bench, edit_column, undone


def edited(bench: Bench, draw: random.Random) -> tuple[Edit, list[str]]:
    """As ``try_edit``, of a row of the bench's tables."""
    return try_edit(bench, draw, ("row added",) if bench.tables == ("erasure_permits",) else ("cell", "row removed", "row added"))


def try_edit(bench: Bench, draw: random.Random, kinds: tuple[str, ...] = KINDS) -> tuple[Edit, list[str]]:
    """Make one edit, return it with what was found, and undo it."""
    while True:
        kind = draw.choice(kinds)
        with undone(bench):
            edit = EDITS[kind](bench, draw)
            if edit is not None:
                return edit, bench.found()


def every_column(bench: Bench, draw: random.Random) -> Iterator[tuple[str, list[str]]]:
    """Change every column of every table, one row each, and undo it; yield what was changed and what was found."""
    for table in bench.tables:
        for column in metadata.tables[table].columns:
            edit = None
            while edit is None and (rows := bench.rows(table)):
                with undone(bench):
                    edit = edit_column(bench, draw, table, draw.choice(rows), column.name)
                    if edit is not None:
                        yield edit.what, bench.found()


def located(edit: Edit, found: list[str]) -> bool:
    """Return whether what was found names what was edited."""
    return any(name and name in line for name in edit.names for line in found)


def main(
    count: Annotated[int, typer.Option(help="Edits to make.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Seed of the edits.")] = 1,
) -> None:
    """Edit, verify, undo; one line of figures, and exit code 1 for an edit that is not found or not located.

    Example: python -m harness.faults.tampering --count 1000
    """
    draw, kinds, missed, astray = random.Random(seed), Counter(), [], []
    with tempfile.TemporaryDirectory() as name, bench(Path(name) / "data") as ready:
        for _ in range(count):
            edit, found = try_edit(ready, draw)
            kinds[edit.kind] += 1
            if not found:
                missed.append(edit)
            elif not located(edit, found):
                astray.append(edit)
                typer.echo(f"not located: {edit}: {found[:2]}", err=True)
        for edit in missed:
            typer.echo(f"not found: {edit}", err=True)
        blind = blind_verification_missed(ready, random.Random(seed))
    shown = ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
    bug = "the planted bug was noticed" if blind else "THE PLANTED BUG WAS MISSED"
    typer.echo(
        f"tamper: {count} edits ({shown}): {count - len(missed)} found, {count - len(missed) - len(astray)} located; {bug}"
    )
    sys.exit(1 if missed or astray or not blind else 0)


def blind_verification_missed(ready: Bench, draw: random.Random, tries: int = 40) -> bool:
    """Return whether edits of worklists go unnoticed by a verification that forgets them: the planted bug of this harness."""
    ledger = ready.workspace.ledger
    whole = ledger.rankings.verify
    ledger.rankings.verify = lambda name: [line for line in whole(name) if "worklists" not in line]
    ready.tables = ("ranking_entries",)
    try:
        return any(not try_edit(ready, draw)[1] for _ in range(tries))
    finally:
        del ledger.rankings.verify
        ready.tables = TABLES


if __name__ == "__main__":
    typer.run(main)
