"""Full and read-only disks beneath a server at work: told truthfully, nothing lost, served again without a restart.

    python -m harness.faults.disks --count 40

A server's data folder lies on a small file system in memory. While callers rank, import, tell of payments and read worklists, the
disk is filled to the last byte or to a few pages, or turns read-only; then it has room again. Every answer meanwhile is the
answer, or says STORAGE_UNAVAILABLE or OUTCOME_UNKNOWN; after it the same requests are answered at the first try. Where the disk
holds checkpoints alone, every request is answered all the time. It needs root, which alone may mount.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import grpc
import typer

from collections_opt.api.v1 import capacity_service_pb2 as plans_pb
from collections_opt.api.v1 import event_pb2, ranking_pb2
from collections_opt.api.v1 import event_service_pb2 as events_pb
from collections_opt.api.v1 import ranking_service_pb2 as pb
from collections_opt.core.day.events import Event
from collections_opt.core.errors import Reason
from collections_opt.ledger.events.event_texts import text_of
from collections_opt.wire.plans import write_plan
from harness.faults.book import PLAN, PORTFOLIO_ID
from harness.faults.day import QUEUE, payments
from harness.faults.plants import DISK_PLANTS
from harness.faults.promises import Promises, figures, judged
from harness.faults.zygote import Zygote
from tests.support.serving.calls import Client
from tests.support.serving.edge import refusal

DISK_BYTES = 24 * 2**20
PAGE = 4_096
TRUTHS = {Reason.STORAGE_UNAVAILABLE.value, Reason.OUTCOME_UNKNOWN.value}
"""What a caller may be told while the disk takes nothing."""
CHECKPOINTS = "full of checkpoints"
KINDS = ("full", "nearly full", "read-only", CHECKPOINTS)
WAIT = 60.0
CALLERS = 12
"""Callers at once: more than connections are kept."""
REQUESTS = 36


def why_not() -> str:
    """Return why no disk can be made here, empty when one can."""
    return "" if os.geteuid() == 0 and Disk.can_be_made() else "only root may mount a small disk"


class Disk:
    """A small file system in memory, which can be filled and made read-only while files on it are open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Disk:
        _mount("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)

    @staticmethod
    def can_be_made() -> bool:
        """Return whether this process may mount."""
        with tempfile.TemporaryDirectory() as name, suppress(subprocess.CalledProcessError), Disk(Path(name)):
            return True
        return False

    @contextmanager
    def full(self, free_pages: int) -> Iterator[None]:
        """Fill the disk but for some pages, for the time of a block."""
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * PAGE)
        os.truncate(self._filler, max(0, self._filler.stat().st_size - free_pages * PAGE))
        yield
        self._filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let every path of the disk lead to a read-only view of it, for the time of a block."""
        _mount("--bind", str(self.folder), str(self.folder))
        _mount("-o", "remount,bind,ro", str(self.folder))
        yield
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


class Callers:
    """Callers of one server, who note what they were told; each request has an id of its own."""

    def __init__(self, port: int, promises: Promises) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_retries", 0)])
        self._client, self._promises = Client(self._channel), promises
        self._calls: tuple[Callable[[str], None], ...] = (self._rank, self._tell, self._read, self._look, self._save)

    def ask(self, names: list[str]) -> dict[str, str]:
        """Send every request once, many at a time; return why those were refused that were."""
        with ThreadPoolExecutor(CALLERS) as pool:
            answers = pool.map(self._once, names)
        return {name: told for name, told in zip(names, answers, strict=True) if told}

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _once(self, name: str) -> str:
        told = Reason.OVERLOADED.value
        while told == Reason.OVERLOADED.value:  # places are taken by the others here
            try:
                self._calls[uuid.UUID(name).int % len(self._calls)](name)
            except grpc.RpcError as error:
                told = str(refusal(error)[1])
            else:
                return ""
        return told

    def _rank(self, name: str) -> None:
        self._promises.asked.add(name)
        request = pb.CreateRankingRequest(
            request_id=name,
            portfolio_id=PORTFOLIO_ID,
            capacity_plan_id=PLAN.plan_id,
            capacity_plan_version=1,
            ordering=ranking_pb2.ORDERING_BALANCE,
            solver=ranking_pb2.SOLVER_GREEDY,
        )
        rankings = self._client.rankings
        ranking = rankings.CreateRanking(request, timeout=WAIT).ranking
        self._promises.accepted[name] = ranking.ranking_id
        while ranking.state == ranking_pb2.RANKING_STATE_RUNNING:
            for answer in rankings.WatchRanking(pb.WatchRankingRequest(ranking_id=ranking.ranking_id), timeout=WAIT):
                ranking = answer.ranking
        if ranking.state == ranking_pb2.RANKING_STATE_SUCCEEDED:
            record = ranking.record
            self._promises.recorded[name].add((ranking.ranking_id, record.sequence, record.record_digest))

    def _tell(self, name: str) -> None:
        told = payments(name)
        self._promises.hear({"kind": "telling", "events": {event.event_id: text_of(event) for event in told}})
        answer = self._client.events.RecordEvents(events_pb.RecordEventsRequest(events=map(_message, told)), timeout=WAIT)
        kept = {event.event_id: sequence for event, sequence in zip(told, answer.sequences, strict=True)}
        self._promises.hear({"kind": "told", "events": kept})

    def _read(self, name: str) -> None:
        made = self._client.rankings.ListRankings(pb.ListRankingsRequest(page_size=1), timeout=WAIT).rankings
        for ranking in made:
            request = pb.ListWorklistRequest(ranking_id=ranking.ranking_id, queue_id=QUEUE)
            self._client.rankings.ListWorklist(request, timeout=WAIT)

    def _save(self, name: str) -> None:
        plan = write_plan(replace(PLAN, plan_id=f"plan-{name}"))
        self._client.plans.CreateCapacityPlan(plans_pb.CreateCapacityPlanRequest(capacity_plan=plan), timeout=WAIT)

    def _look(self, _name: str) -> None:
        self._client.rankings.ListRankings(pb.ListRankingsRequest(), timeout=WAIT)


def _message(event: Event) -> event_pb2.Event:
    message = event_pb2.Event(event_id=event.event_id, account_id=event.account_id)
    message.occur_time.FromDatetime(event.occurred_at)
    message.payment.amount_minor_units = event.amount_minor
    return message


def spoil(folder: Path, zygote: Zygote, draw: random.Random, kind: str, plant: str = "") -> list[tuple[str, str]]:
    """Spoil the disk of a server for a while; return what its callers must not have been told, and what was broken."""
    promises, found = Promises(), []
    data = folder / "data"
    with Disk(data / "checkpoints" if kind == CHECKPOINTS else folder) as disk:
        child = zygote.fork({"folder": str(data), "plant": plant, "operations": [["prepare", ""], ["serve", ""]]})
        callers = Callers(next(said["port"] for said in child if said["kind"] == "serving"), promises)
        try:
            for when in ("before", kind, "after"):
                names = [str(uuid.UUID(int=draw.getrandbits(128), version=4)) for _ in range(REQUESTS)]
                with _spoilt(disk, when, draw):
                    refused = callers.ask(names)
                may_say = TRUTHS if when == kind != CHECKPOINTS else ()
                found += [("untruthful", f"{when}: {told}") for told in refused.values() if told not in may_say]
                if when == kind:
                    again = callers.ask(sorted(refused))
                    found += [("not served again", f"{kind}: {told}") for told in again.values()]
        finally:
            callers.close()
            child.kill()
            child.close()
        asked = sorted(promises.asked - promises.recorded.keys())
        last = zygote.fork({"folder": str(data), "operations": [["recover", ""], *(["rank", name] for name in asked)]})
        for said in last:
            promises.hear(said)
        last.close()
        return [*found, *judged(data, "", promises)]


@contextmanager
def _spoilt(disk: Disk, kind: str, draw: random.Random) -> Iterator[None]:
    if kind == "read-only":
        with disk.read_only():
            yield
    elif kind in KINDS:
        with disk.full(draw.randint(1, 60) if kind == "nearly full" else 0):
            yield
    else:
        yield


def main(
    count: Annotated[int, typer.Option(help="Disks to spoil.")] = 40,
    seed: Annotated[int, typer.Option(help="Seed of when and how.")] = 1,
) -> None:
    """Spoil disks; one line of figures, and exit code 1 for what was untruthful, lost or not served again, or an unnoticed bug.

    Example: python -m harness.faults.disks --count 40
    """
    if why_not():
        typer.echo(f"disks: none was spoilt: {why_not()}")
        return
    draw, findings, kinds = random.Random(seed), [], Counter()
    with tempfile.TemporaryDirectory() as name, Zygote() as zygote:
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            kinds[kind] += 1
            found = spoil(Path(name) / str(number), zygote, draw, kind)
            for what, sentence in found:
                typer.echo(f"{kind}: {what}: {sentence}", err=True)
            findings += found
        missed = [plant for plant in DISK_PLANTS if not plant_noticed(Path(name) / plant, zygote, plant, seed)]
    told, count_of = Counter(what for what, _ in findings), len(DISK_PLANTS) - len(missed)
    shown = ", ".join(f"{kind} {number}" for kind, number in kinds.items())
    bugs = f"{count_of} of {len(DISK_PLANTS)} planted bugs noticed" + "".join(f", MISSED {name}" for name in missed)
    typer.echo(
        f"disks: {count} ({shown}): {told['untruthful']} untruthful answers, {told['not served again']} not served again, "
        f"{figures(findings)}; {bugs}"
    )
    sys.exit(1 if findings or missed else 0)


def plant_noticed(folder: Path, zygote: Zygote, plant: str, seed: int, tries: int = 4) -> bool:
    """Return whether spoilt disks show a planted bug."""
    draw = random.Random(seed)
    return any(
        spoil(folder / str(number), zygote, draw, kind, plant)
        for number in range(tries)
        for kind in ("read-only", "full", CHECKPOINTS)
    )


if __name__ == "__main__":
    typer.run(main)
