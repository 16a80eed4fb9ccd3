"""Many callers with one key at the same time, in several processes on one database: one record, one answer.

python -m harness.faults.duplicates --callers 64
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from harness.faults.kills import Book
from harness.faults.private_postgres import PrivatePostgres, why_not
from harness.faults.promises import figures
from harness.faults.zygote import Zygote

CALLERS_PER_PROCESS = 4


def call_at_once(book: Book, callers: int, rounds: int) -> tuple[int, list[tuple[str, str]]]:
    """Let callers ask with one key, once per round; return how many were answered and what was broken."""
    processes = callers // CALLERS_PER_PROCESS
    answers = 0
    for number in range(rounds):
        name = str(uuid.UUID(int=4 * number, version=4))
        children = [book.fork([["duplicates", name]], round=number) for _ in range(processes)]
        for child in children:
            for said in child:
                book.promises.hear(said)
                answers += said["kind"] == "recorded"
            child.close()
    return answers, book.broken()


def main(
    callers: Annotated[int, typer.Option(help="Callers with one key, four to a process.")] = 64,
    rounds: Annotated[int, typer.Option(help="Keys tried, one after the other.")] = 3,
) -> None:
    """Ask with one key from many callers; one line of figures, exit code 1 for more than one record or answer.

    Example: python -m harness.faults.duplicates --callers 64
    """
    findings, told, reason = [], [], why_not()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        zygote = stack.enter_context(Zygote())
        urls = {"SQLite": ""}
        if not reason:
            urls["PostgreSQL"] = stack.enter_context(PrivatePostgres()).new_database()
        for name, url in urls.items():
            book = Book(folder / name, zygote, url)
            answers, found = call_at_once(book, callers, rounds)
            findings += found
            if answers != callers * rounds:
                findings.append(("lost", f"{answers} of {callers * rounds} callers were answered"))
            told.append(f"{name}: {answers} answers for {rounds} keys, {len(book.promises.recorded)} records")
        planted = Book(folder / "planted", zygote, plant="keys_forgotten")
        noticed = bool(call_at_once(planted, CALLERS_PER_PROCESS * 2, 1)[1])
    for kind, sentence in findings:
        typer.echo(f"{kind}: {sentence}", err=True)
    bug = "the planted bug was noticed" if noticed else "THE PLANTED BUG WAS MISSED"
    missing = f" (no PostgreSQL: {reason})" if reason else ""
    typer.echo(f"duplicates-load: {callers} callers with one key, {'; '.join(told)}{missing}: {figures(findings)}; {bug}")
    sys.exit(1 if findings or not noticed else 0)


if __name__ == "__main__":
    typer.run(main)
