"""100,000 leases by 200 holders over two servers that are killed with -9.

Holders lease, call, complete, give back and forget in a closed loop over several servers of one PostgreSQL ledger; every half
minute one server is killed with -9 and started again. Then what servers acknowledged is held against leases, events and log: no
account had two holders at once, no person was called about two accounts at once, nothing acknowledged is lost, nobody was worked
twice, the feed has no gap. Each planted bug must be found by the same checks.

    python -m harness.leases --leases 100000 --holders 200 --plants --write
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import sqlalchemy as sa
import typer

from collections_opt.core.day.events import RecordedEvent
from harness.benchmarks.support.cases import Result
from harness.benchmarks.support.reporting import Report, Table, number, page
from harness.benchmarks.support.reporting import write as write_page
from harness.faults.private_postgres import PrivatePostgres, why_not
from harness.leases import judging
from harness.leases.holders import Holders, Journal
from harness.leases.plants import PLANTS
from harness.leases.servers import Servers
from harness.leases.world import open_world, rank_world

SERVERS = 2
GUARDS = ("leases_held_account", "leases_held_person")


KINDS = ("double holder", "person twice", "lost", "worked twice", "feed", "log", "refused")
"""What may be wrong, as faults begin."""


@dataclass(frozen=True)
class Run:
    """How a ranking is worked.

    Attributes:
        leases: to grant.
        holders: in a closed loop.
        accounts: of the ranking.
        kill_every: seconds between kills; 0 kills none.
        at_most: seconds after which holders stop.
    """

    leases: int
    holders: int
    accounts: int
    kill_every: float
    at_most: float


PLANTED = Run(300, 24, 400, 8.0, 120.0)
"""How a bug is looked for: far less work than it takes to see that nothing is wrong."""


@dataclass(frozen=True)
class Outcome:
    """What a run was, by name, and what was wrong."""

    figures: dict[str, float]
    faults: list[str]


def main(
    leases: Annotated[int, typer.Option(min=1, help="Leases to grant.")] = 100_000,
    holders: Annotated[int, typer.Option(min=1, help="Holders in a closed loop.")] = 200,
    accounts: Annotated[int, typer.Option(min=0, help="Accounts of the ranking; 0 is as many as leases.")] = 0,
    kill_every: Annotated[float, typer.Option(min=0, help="Seconds between kills; 0 kills none.")] = 30.0,
    at_most: Annotated[float, typer.Option(min=1, help="Seconds after which holders stop.")] = 1_500.0,
    plant: Annotated[str, typer.Option(help="A bug to plant in this run, which must be found.")] = "",
    plants: Annotated[bool, typer.Option("--plants", help="Then plant each bug in a small run; all must be found.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write docs/benchmarks/leases.md.")] = False,
) -> None:
    """Work a ranking and check it. Exit code 0: every promise held, and every planted bug was found. 1: not so.

    Example: python -m harness.leases --leases 2000 --holders 20 --plants
    """
    if why_not():
        typer.echo(why_not())
        raise typer.Exit(2)
    made = _worked(Run(leases, holders, accounts or leases, kill_every, at_most), plant)
    found = {name: _finds(_worked(PLANTED, name), name) for name in (PLANTS if plants else ())}
    for name, noticed in found.items():
        typer.echo(f"planted {name}: {'found' if noticed else 'NOT FOUND'}")
    if write:
        _write(made, leases, found)
    reached = made.figures["leases granted"] >= leases or bool(plant)
    if not reached:
        typer.echo(f"Stopped after {at_most:.0f} seconds, before {leases:,} leases were granted.")
    as_wanted = _finds(made, plant) if plant else not made.faults
    raise typer.Exit(int(not as_wanted or not all(found.values()) or not reached))


def _finds(made: Outcome, plant: str) -> bool:
    """Return whether a planted bug was found as what it is."""
    return any(line.startswith(f"{PLANTS[plant].kind}: ") for line in made.faults)


def _worked(run: Run, plant: str) -> Outcome:
    with PrivatePostgres() as postgres:
        return _run(postgres.new_database(), run, plant)


def _run(url: str, run: Run, plant: str) -> Outcome:
    started = time.time()
    folder = Path(tempfile.mkdtemp(prefix="leases-"))
    workspace = open_world(folder, url, started)
    ranking_id = rank_world(workspace, run.accounts)
    workspace.close()
    if plant == "two_holders":
        _drop_guards(url)
    running = Servers(folder, url, started, SERVERS, plant)
    work = Holders(running.ports, ranking_id, started, run.leases)
    began = time.perf_counter()
    with _killing(running, run.kill_every, work.stop):
        journal = work.run(run.holders, lambda told: _report(told, running, time.perf_counter() - began, run.at_most, work.stop))
    took = time.perf_counter() - began
    running.close()
    faults = _judged(folder, url, started, journal, ranking_id)
    figures = _figures(journal, running.kills, took, faults)
    _tell(figures, faults)
    shutil.rmtree(folder)
    return Outcome(figures, faults)


def _report(journal: Journal, running: Servers, took: float, at_most: float, stop: threading.Event) -> None:
    if took > at_most:
        stop.set()
    if sys.stderr.isatty() or int(took) % 20 < 2:
        told = f"{took:5.0f} s: {len(journal.granted)} leases, {len(journal.completed)} completed, {running.kills} kills"
        print(told, file=sys.stderr, flush=True)


def _judged(folder: Path, url: str, started: float, journal: Journal, ranking_id: str) -> list[str]:
    workspace = open_world(folder, url, started)
    events: list[RecordedEvent] = []
    while page := workspace.day.events.after(len(events), 1_000):
        events += page
    stored = workspace.ledger.portfolios.get("world")
    opened = workspace.recorded._sealed.portfolio(stored.object_digest)
    names = np.char.decode(opened.portfolio.column("customer_id")).tolist()
    customers = dict(zip(opened.key_no.tolist(), names, strict=True))
    verdict = workspace.evidence.verification.verify_log()
    workspace.close()
    leases = judging.leases_of(url)
    return [
        *(f"double holder: {line}" for line in judging.overlaps(leases, "account_no")),
        *(f"person twice: {line}" for line in judging.persons_called_twice(leases, customers)),
        *(f"lost: {line}" for line in judging.lost(journal, leases, events)),
        *(f"worked twice: {line}" for line in judging.worked_twice(events)),
        *(f"feed: {line}" for line in judging.gaps(events)),
        *(f"log: {check.sentence}" for check in verdict.checks if not check.holds),
        *(f"refused: {line}" for line in journal.errors[:20]),
    ]


def _figures(journal: Journal, kills: int, took: float, faults: list[str]) -> dict[str, float]:
    waits = np.array(journal.seconds or [0.0]) * 1_000
    granted = len(journal.granted)
    return {
        "leases granted": granted,
        "seconds": took,
        "leases a second": granted / took,
        "completed": len(journal.completed),
        "completed late": len(journal.lost),
        "given back": len(journal.released),
        "kills -9": kills,
        "calls sent again": journal.retries,
        "lease call p50 ms": float(np.percentile(waits, 50)),
        "lease call p99 ms": float(np.percentile(waits, 99)),
        **{kind: sum(line.startswith(kind + ":") for line in faults) for kind in KINDS},
    }


def _tell(figures: dict[str, float], faults: list[str]) -> None:
    print(", ".join(f"{name} {number(value)}" for name, value in figures.items()))
    for line in faults[:10]:
        print(f"  {line}")


def _write(made: Outcome, leases: int, found: dict[str, bool]) -> None:
    title, _, introduction = (__doc__ or "").partition("\n")
    lines = tuple((name, number(value)) for name, value in made.figures.items())
    granted = int(made.figures["leases granted"])
    tables = [Table(f"{granted:,} of {leases:,} leases", ("figure", "value"), lines)]
    if found:
        planted = tuple((name.replace("_", " "), "found" if noticed else "NOT found") for name, noticed in found.items())
        tables.append(Table("Planted bugs", ("bug", "by the same checks"), planted))
    wrong = int(sum(made.figures[kind] for kind in KINDS))
    goal = "Goal: 0 double holders, 0 persons called twice at once, 0 lost completions, every planted bug found"
    met = not made.faults and all(found.values()) and made.figures["leases granted"] >= leases
    remark = f"{goal}; {wrong} faults of any kind: {'met' if met else 'NOT met'}."
    result = Result("leases", 1, made.figures["seconds"], (made.figures["seconds"],) * 2, 0, (), {**made.figures, **found})
    report = Report(tables, [result], [remark])
    write_page("leases", page("leases", title.rstrip("."), introduction.strip(), "make leases", report), report, "make leases")


@contextmanager
def _killing(running: Servers, every: float, stop: threading.Event) -> Iterator[None]:
    over = threading.Event()

    def kill() -> None:
        at = 0
        while every and not over.wait(every) and not stop.is_set():
            running.kill(at % len(running.ports))
            at += 1

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def _drop_guards(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for name in GUARDS:
            connection.exec_driver_sql(f"DROP INDEX {name}")
    engine.dispose()


if __name__ == "__main__":
    typer.run(main)
