"""Holders work a ranking over several servers that are killed with -9, on PostgreSQL; then every promise is checked.

python -m harness.leases --leases 100000 --holders 200
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import sqlalchemy as sa
import typer

from collections_opt.core.day.events import RecordedEvent
from harness.faults.private_postgres import PrivatePostgres, why_not
from harness.leases import judging
from harness.leases.holders import Holders, Journal
from harness.leases.plants import PLANTS
from harness.leases.world import open_world, rank_world

GUARDS = ("leases_held_account", "leases_held_person")
SERVING_SECONDS = 180.0


class Servers:
    """Servers of one ledger, each started again after it was killed."""

    def __init__(self, folder: Path, url: str, started: float, count: int, plant: str) -> None:
        self._arguments = [str(folder), url]
        self._rest = [str(started), plant]
        self.ports = [_free_port() for _ in range(count)]
        self._running = [self._start(port) for port in self.ports]
        for one in self._running:
            _wait_for(one)
        self.kills = 0

    def kill(self, at: int) -> None:
        """Kill a server and start it again."""
        self._running[at].send_signal(signal.SIGKILL)
        self._running[at].wait()
        self.kills += 1
        self._running[at] = self._start(self.ports[at])
        _wait_for(self._running[at])

    def close(self) -> None:
        """End all servers."""
        for one in self._running:
            one.kill()
            one.wait()

    def _start(self, port: int) -> subprocess.Popen[str]:
        folder, url = self._arguments
        command = [sys.executable, "-m", "harness.leases.server", folder, url, str(port), *self._rest]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def main(
    leases: Annotated[int, typer.Option(min=1, help="Leases to grant.")] = 100_000,
    holders: Annotated[int, typer.Option(min=1, help="Holders in a closed loop.")] = 200,
    accounts: Annotated[int, typer.Option(min=0, help="Accounts of the ranking; 0 is as many as leases.")] = 0,
    servers: Annotated[int, typer.Option(min=1, help="Servers of the ledger.")] = 2,
    kill_every: Annotated[float, typer.Option(min=0, help="Seconds between kills; 0 kills none.")] = 30.0,
    at_most: Annotated[float, typer.Option(min=1, help="Seconds after which holders stop.")] = 3_600.0,
    plant: Annotated[str, typer.Option(help="A bug to plant, which must be found; 'all' tries each.")] = "",
) -> None:
    """Work a ranking and check it. Exit code 0: every promise held, and every planted bug was found. 1: not so.

    Example: python -m harness.leases --leases 2000 --holders 20 --plant all
    """
    if why_not():
        typer.echo(why_not())
        raise typer.Exit(2)
    failed = False
    for name in [*PLANTS] if plant == "all" else [plant]:
        with PrivatePostgres() as postgres:
            found = _run(postgres.new_database(), leases, holders, accounts or leases, servers, kill_every, at_most, name)
        if name:
            typer.echo(f"planted {name}: {'found' if found else 'NOT FOUND'}")
        failed |= bool(found) != bool(name)
    raise typer.Exit(int(failed))


def _run(
    url: str, target: int, holders: int, accounts: int, servers: int, kill_every: float, at_most: float, plant: str
) -> list[str]:
    started = time.time()
    folder = Path(tempfile.mkdtemp(prefix="leases-"))
    workspace = open_world(folder, url, started)
    ranking_id = rank_world(workspace, accounts)
    workspace.close()
    if plant == "two_holders":
        _drop_guards(url)
    running = Servers(folder, url, started, servers, plant)
    work = Holders(running.ports, ranking_id, started, target)
    began = time.perf_counter()
    with _killing(running, kill_every, work.stop):
        journal = work.run(holders, lambda told: _report(told, running, time.perf_counter() - began, at_most, work.stop))
    took = time.perf_counter() - began
    running.close()
    found = _judged(folder, url, started, journal, ranking_id)
    _tell(journal, running.kills, took, found)
    shutil.rmtree(folder)
    return found


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


def _tell(journal: Journal, kills: int, took: float, found: list[str]) -> None:
    waits = np.array(journal.seconds or [0.0]) * 1_000
    granted, done = len(journal.granted), len(journal.completed)
    print(
        f"{granted} leases in {took:.0f} s ({granted / took:.0f} a second), {done} completed, {len(journal.lost)} completed late,"
    )
    print(f"{len(journal.released)} given back, {kills} kills -9, {journal.retries} calls sent again.")
    print(f"Lease calls took {np.percentile(waits, 50):.0f} ms (p50), {np.percentile(waits, 99):.0f} ms (p99).")
    kinds = ("double holder", "person twice", "lost", "worked twice", "feed", "log", "refused")
    print(", ".join(f"{kind}: {sum(line.startswith(kind + ':') for line in found)}" for kind in kinds))
    for line in found[:10]:
        print(f"  {line}")


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


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    if "serving" not in server.stdout.readline():
        raise RuntimeError("a server did not start")


if __name__ == "__main__":
    typer.run(main)
