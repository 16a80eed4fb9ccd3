"""Kill -9 in loops: the process that makes rankings, the whole server under load, and a PostgreSQL with several writers.

python -m harness.faults.kills --workers 200 --servers 40 --restarts 5 --pairs 20
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import grpc
import typer

from collections_opt.api.v1 import ranking_pb2, ranking_service_pb2, ranking_service_pb2_grpc
from harness.faults.book import PLAN, PORTFOLIO_ID
from harness.faults.private_postgres import PrivatePostgres, why_not
from harness.faults.promises import Promises, figures, judged
from harness.faults.zygote import Child, Zygote

pb = ranking_service_pb2

RANKINGS_PER_LIFE = 30
"""More than a worker makes before it is killed."""
CALLS_BEFORE_DEATH = 400
"""A worker is killed after up to so many calls to database and disk: about four rankings."""
RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
"""A server that is gone, and one whose places for work are taken: asked again with the same key."""

WORK = ("rank", "tell", "work")
"""What workers do in turn: rank, tell of payments, lease accounts of the newest ranking and tell of the contacts."""
CALLERS = 4
WRITERS = 4
RANKINGS_PER_WRITER = 20
WAIT_SECONDS = 60.0


class Book:
    """One data folder over many deaths, and what was promised meanwhile."""

    def __init__(self, folder: Path, zygote: Zygote, url: str = "", plant: str = "") -> None:
        self.base = {"folder": str(folder), "url": url, "plant": plant, "round": 0}
        self.zygote, self.promises, self.deaths = zygote, Promises(), 0
        self.live([["prepare", ""]], plant="")

    def fork(self, operations: list, **changes) -> Child:
        return self.zygote.fork({**self.base, **changes, "operations": operations})

    def live(self, operations: list, **changes) -> None:
        """Let a child live to its natural end."""
        child = self.fork(operations, **changes)
        for said in child:
            self.promises.hear(said)
        child.close()

    def broken(self) -> list[tuple[str, str]]:
        """Let a last child finish what is owed, and return the promises broken."""
        asked = sorted(self.promises.asked - self.promises.accepted.keys())
        self.live([["recover", ""], *(["rank", name] for name in asked)])
        return judged(Path(self.base["folder"]), self.base["url"], self.promises)


def kill_workers(book: Book, count: int, draw: random.Random) -> None:
    """Kill the process that makes rankings after a random number of its calls, or as soon as it told that one is recorded."""
    for _ in range(count):
        names = [str(uuid.UUID(int=draw.getrandbits(128), version=4)) for _ in range(RANKINGS_PER_LIFE)]
        operations = [["recover", ""], *([WORK[at % len(WORK)], name] for at, name in enumerate(names))]
        child = book.fork(operations, every_call=True)
        counted = draw.choice(("call", "call", "recorded"))
        left = draw.randint(1, CALLS_BEFORE_DEATH) if counted == "call" else draw.randint(1, 2)
        for said in child:
            book.promises.hear(said)
            left -= said["kind"] == counted
            if left == 0:
                child.kill()
                book.deaths, left = book.deaths + 1, -1
        child.close()


class Load:
    """Callers of a server that dies and comes back at another port; each sends a request until it is told the outcome."""

    def __init__(self, promises: Promises) -> None:
        self._promises, self._changed, self._ports, self._ended = promises, threading.Condition(), {}, False
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]
        self.errors: list[BaseException] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def serve_at(self, port: int, place: int = 0) -> None:
        """Tell callers where a server listens now; there may be several, each at its place."""
        with self._changed:
            self._ports[place] = port
            self._changed.notify_all()

    @property
    def lock(self) -> threading.Condition:
        """Hold it to take note of promises."""
        return self._changed

    def end(self) -> None:
        """Let callers end their request, and wait for them."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _call(self, number: int) -> None:
        draw = random.Random(number)
        try:
            while not self._ended:
                self._until_told(str(uuid.UUID(int=draw.getrandbits(128), version=4)))
        except BaseException as error:  # noqa: BLE001 - told to whoever ends the load
            self.errors.append(error)

    def _until_told(self, request_id: str) -> None:
        dead: set[int] = set()
        with self._changed:
            self._promises.asked.add(request_id)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or set(self._ports.values()) - dead)  # noqa: B023
                alive = sorted(set(self._ports.values()) - dead)
                if not alive:
                    return
                port = alive[uuid.UUID(request_id).int % len(alive)]
            try:
                with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                    self._ask(ranking_service_pb2_grpc.RankingServiceStub(channel), request_id)
            except grpc.RpcError as error:
                if error.code() not in RETRIED:
                    raise
                dead |= {port} if error.code() is grpc.StatusCode.UNAVAILABLE else set()
            else:
                return

    def _ask(self, stub, request_id: str) -> None:
        request = pb.CreateRankingRequest(
            request_id=request_id,
            portfolio_id=PORTFOLIO_ID,
            capacity_plan_id=PLAN.plan_id,
            capacity_plan_version=1,
            ordering=ranking_pb2.ORDERING_BALANCE,
            solver=ranking_pb2.SOLVER_GREEDY,
        )
        ranking = stub.CreateRanking(request, timeout=WAIT_SECONDS).ranking
        self._hear("accepted", request_id, ranking)
        while ranking.state == ranking_pb2.RANKING_STATE_RUNNING:
            for answer in stub.WatchRanking(pb.WatchRankingRequest(ranking_id=ranking.ranking_id), timeout=WAIT_SECONDS):
                ranking = answer.ranking
        if ranking.state != ranking_pb2.RANKING_STATE_SUCCEEDED:
            raise AssertionError(f"{request_id} ended as {ranking}")
        self._hear("recorded", request_id, ranking)

    def _hear(self, kind: str, request_id: str, ranking) -> None:
        told = {"kind": kind, "request": request_id, "ranking": ranking.ranking_id}
        told |= {"seq": ranking.record.sequence, "digest": ranking.record.record_digest}
        with self._changed:
            self._promises.hear(told)


def _serve_until_killed(book: Book, load: Load, calls: int, place: int = 0) -> None:
    """Let one server live for so many of its calls; ``place`` says which of several the load takes it for."""
    child = book.fork([["serve", ""]], every_call=True)
    for said in child:
        if said["kind"] == "serving":
            load.serve_at(said["port"], place)
        with load.lock:
            book.promises.hear(said)
            calls -= said["kind"] == "call"
            if calls == 0:
                child.kill()
                book.deaths, calls = book.deaths + 1, -1
    child.close()


def kill_servers(book: Book, count: int, draw: random.Random) -> None:
    """Kill the whole server under load, each time after a random number of its calls."""
    load = Load(book.promises)
    load.start()
    try:
        for _ in range(count):
            _serve_until_killed(book, load, draw.randint(CALLS_BEFORE_DEATH // 4, CALLS_BEFORE_DEATH * 2))
    finally:
        load.end()


def kill_one_of_two(book: Book, count: int, draw: random.Random) -> None:
    """Kill one of two servers of one database under load, again and again; the other serves on, and takes over what it left."""
    load = Load(book.promises)
    load.start()

    def live(place: int, deaths: int) -> None:
        for _ in range(deaths):
            _serve_until_killed(book, load, draw.randint(CALLS_BEFORE_DEATH // 2, CALLS_BEFORE_DEATH * 2), place)

    places = [threading.Thread(target=live, args=(place, count - count // 2 if place else count // 2)) for place in (0, 1)]
    for thread in places:
        thread.start()
    for thread in places:
        thread.join()
    load.end()


class Writers:
    """Several writers on one server, which may go away at any time: one that cannot reach it waits until it is back."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._away, self._listening, self._heard = threading.Lock(), threading.Lock(), threading.Semaphore(0)
        self._unexpected: list[AssertionError] = []

    def start(self, draw: random.Random) -> list[threading.Thread]:
        threads = []
        for _ in range(WRITERS):
            names = [str(uuid.UUID(int=draw.getrandbits(128), version=4)) for _ in range(RANKINGS_PER_WRITER)]
            operations = [["rank", name] for name in names]
            for at in range(2, len(operations), 3):
                operations[at:at] = [[WORK[1 + at % 2], str(uuid.UUID(int=draw.getrandbits(128), version=4))]]
            child = self._book.fork(operations, ask_when_unreachable=True)
            threads.append(threading.Thread(target=self._hear, args=(child,)))
        for thread in threads:
            thread.start()
        return threads

    def restart_after(self, postgres: PrivatePostgres, answers: int) -> None:
        """Restart the server once so many more answers were heard."""
        for _ in range(answers):
            self._heard.acquire()
        with self._away:
            postgres.restart()

    def join(self, threads: list[threading.Thread]) -> None:
        for thread in threads:
            thread.join()
        if self._unexpected:
            raise self._unexpected[0]

    def _hear(self, child: Child) -> None:
        try:
            for said in child:
                if said["kind"] == "unreachable":
                    with self._away:
                        child.answer()
                with self._listening:
                    self._book.promises.hear(said)
                self._heard.release()
        except AssertionError as error:
            self._unexpected.append(error)
        child.close()
        self._heard.release(1_000)  # nobody waits for one that has ended


def restart_postgres(book: Book, postgres: PrivatePostgres, restarts: int, draw: random.Random) -> None:
    """Restart the database again and again while several writers record."""
    writers = Writers(book)
    threads = writers.start(draw)
    for _ in range(restarts):
        writers.restart_after(postgres, draw.randint(6, 20))
        book.deaths += 1
    writers.join(threads)


def main(
    workers: Annotated[int, typer.Option(help="Kills of the process that makes rankings.")] = 200,
    servers: Annotated[int, typer.Option(help="Kills of the whole server under load.")] = 40,
    restarts: Annotated[int, typer.Option(help="Restarts of a PostgreSQL with four writers.")] = 5,
    pairs: Annotated[int, typer.Option(help="Kills of one of two servers on one PostgreSQL, under load.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of when to kill.")] = 1,
) -> None:
    """Kill, restart, count what was lost; one line of figures, and exit code 1 for any broken promise or unnoticed bug.

    Example: python -m harness.faults.kills --workers 200 --servers 40 --restarts 5 --pairs 20
    """
    draw, reason = random.Random(seed), why_not() if restarts else "not asked for"
    findings, told = [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        zygote = stack.enter_context(Zygote())
        loops = [("worker kills", lambda book: kill_workers(book, workers, draw), "")]
        loops += [("server kills under load", lambda book: kill_servers(book, servers, draw), "")]
        if not reason:
            postgres = stack.enter_context(PrivatePostgres())
            loop = lambda book: restart_postgres(book, postgres, restarts, draw)  # noqa: E731
            loops += [(f"PostgreSQL restarts with {WRITERS} writers", loop, postgres.new_database())]
            pair = lambda book: kill_one_of_two(book, pairs, draw)  # noqa: E731
            loops += [("kills of one of two servers on one PostgreSQL", pair, postgres.new_database())]
        for number, (name, loop, url) in enumerate(loops):
            book = Book(folder / str(number), zygote, url)
            loop(book)
            found = book.broken()
            for kind, sentence in found:
                typer.echo(f"{name}: {kind}: {sentence}", err=True)
            findings += found
            of_day = f", {book.promises.day.acknowledged} events and leases" if book.promises.day.acknowledged else ""
            told.append(f"{book.deaths} {name} ({book.promises.acknowledged} rankings{of_day} acknowledged)")
        noticed = plant_noticed(folder / "planted", zygote, draw)
    if reason:
        told.append(f"no PostgreSQL restarts ({reason})")
    bug = "the planted bug was noticed" if noticed else "THE PLANTED BUG WAS MISSED"
    typer.echo(f"fault-kill: {', '.join(told)}: {figures(findings)}; {bug}")
    sys.exit(1 if findings or not noticed else 0)


def plant_noticed(folder: Path, zygote: Zygote, draw: random.Random, tries: int = 30) -> bool:
    """Return whether killing workers that acknowledge before their commit shows it."""
    for number in range(tries):
        book = Book(folder / str(number), zygote, plant="acknowledge_before_commit")
        kill_workers(book, 1, draw)
        if book.broken():
            return True
    return False


if __name__ == "__main__":
    typer.run(main)
