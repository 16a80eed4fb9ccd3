"""Seeded schedules: crash, fail a call, fill the disk, lock, restart, skew, duplicate, cancel, around the real code.

python -m harness.faults.schedules --count 300
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import uuid
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.remote import open_objects
from harness.faults.injection import KINDS, OF_SERVERS
from harness.faults.plants import DAY_PLANTS, PLANTS
from harness.faults.private_postgres import PrivatePostgres, why_not
from harness.faults.promises import Promises, figures, inputs_of, judged, not_kept
from harness.faults.zygote import Zygote

TOLD_EVERY = 25
LAST_CALL = 430
"""Calls of a child that makes two rankings, or one and works it; a fault beyond them never happens, which is a schedule too."""

AIMED = {
    "failed_commit_taken_for_success": ("lost_commit", 20, 235),
    "retry_with_a_new_key": ("kept_commit", 1, 235),
    "recovery_forgets": ("crash", 85, 235),
    "late_work_after_a_cancel": ("cancel", 15, 235),
    "told_before_commit": ("crash", 8, 30),
    "batch_outside_the_transaction": ("crash", 12, 40),
    "lease_ends_outside_the_transaction": ("crash", 70, 120),
    "lease_request_forgotten": ("kept_commit", 1, 75),
    "clock_back_untold": ("none", 1, LAST_CALL),
}
"""Where to look for a planted bug: which fault shows it, between which calls; those of the day count from its beginning."""

KEEPING_COMMIT = 3
"""The commit of a life that keeps its first ranking: those before it take the request and its first state."""

AT_COMMIT = {
    "acknowledge_before_commit": (0,),
    "entries_outside_the_transaction": (1, 2, 3),
    "leaf_outside_the_transaction": (1, 2, 3),
    "event_outside_the_transaction": (1, 2, 3),
}
"""Bugs that show only where a ranking is kept: after how many calls from that commit on a crash is tried, in turns."""

OPERATIONS = ("rank", "rank", "duplicates", "again", "import", "tell", "work")
DAY = ("tell", "work", "work")
"""What is done in a schedule, and in one that looks for a planted bug of the day."""


ON_SERVER = (*OF_SERVERS, *OF_SERVERS, "kept_commit", "lost_commit", "crash")
"""What goes wrong in schedules on a PostgreSQL."""


@dataclass(frozen=True)
class Round:
    """One process's life."""

    fault: str
    at: int
    skew_seconds: int
    operations: tuple[tuple[str, str], ...]


def rounds_of(
    seed: int,
    kinds: tuple[str, ...],
    first_call: int = 1,
    last_call: int = LAST_CALL,
    choices: tuple[str, ...] = OPERATIONS,
) -> list[Round]:
    """Return a schedule; the same seed gives the same one."""
    draw = random.Random(seed)
    known = [str(uuid.UUID(int=draw.getrandbits(128), version=4))]
    rounds = []
    for _ in range(draw.randint(1, 2)):
        fault = draw.choice(kinds)
        operations: list[tuple[str, str]] = []
        for _ in range(draw.randint(1, 2)):
            operation = draw.choice(choices)
            fresh = str(uuid.UUID(int=draw.getrandbits(128), version=4))
            if operation == "import":
                operations.append(("import", f"book-{fresh[:8]}"))
            elif operation in DAY:
                operations.append((operation, fresh))
            elif operation == "again" and fault != "cancel":
                operations.append(("rank", draw.choice(known)))
            else:
                known.append(fresh)
                operations.append((operation if operation == "duplicates" and fault != "cancel" else "rank", fresh))
        if all(name == "import" for name, _ in operations):
            operations.append(("rank", known[0]))
        elif any(name == "work" for name, _ in operations):
            operations.insert(0, ("rank", known[0]))  # there is something to work
        rounds.append(Round(fault, draw.randint(first_call, last_call), draw.choice((0, -90_000, 90_000)), tuple(operations)))
    return rounds


class Runner:
    """Runs schedules over copies of one prepared data folder, with two hash seeds in turn."""

    def __init__(self, folder: Path, zygotes: list[Zygote], postgres: PrivatePostgres | None = None) -> None:
        self._folder, self._zygotes, self._postgres = folder, zygotes, postgres
        self._template = folder / "template"
        self.deaths, self.struck, self.acknowledged, self.of_day, self.faults = 0, 0, 0, 0, Counter()
        self._live({"folder": str(self._template), "operations": [["prepare", ""]]}, Promises())
        self._decisions = self._decide()

    def _decide(self) -> dict[str, tuple[str, int]]:
        """Return what is decided, by payload, when nothing is wrong."""
        data = self._folder / "decided"
        shutil.copytree(self._template, data)
        one_of_each = [["rank", str(uuid.UUID(int=number, version=4))] for number in range(4)]
        self._live({"folder": str(data), "operations": one_of_each}, Promises())
        ledger = open_ledger(f"sqlite:///{data / 'ledger.db'}", open_objects(str(data / "objects")))
        made = ledger.rankings.before(None, 100)
        ledger.close()
        records = [(inputs_of(each.payload_digest, each.record), each.record) for each in made]
        return {inputs: (record["entries_digest"], record["objective_minor"]) for inputs, record in records}

    def run(self, seed: int, plant: str = "", on_server: bool = False) -> list[tuple[str, str]]:
        """Run one schedule and return the promises it broke."""
        kind, first_call, last_call = AIMED.get(plant, ("", 1, LAST_CALL))
        kinds = (kind,) if kind else ON_SERVER if on_server else tuple(name for name in KINDS if name not in OF_SERVERS)
        data = self._folder / f"run-{seed}-{plant}"
        shutil.copytree(self._template, data)
        url = self._postgres.new_database() if on_server and self._postgres else ""
        promises = Promises(decisions=self._decisions)
        base = {"folder": str(data), "url": url, "plant": plant}
        if url:
            shutil.rmtree(data)
            self._live({**base, "plant": "", "operations": [["prepare", ""]]}, promises)
        early: list[tuple[str, str]] = []
        choices = DAY if plant in DAY_PLANTS else ("rank",) if plant in AT_COMMIT else OPERATIONS
        near = {}
        if plant in AT_COMMIT:
            near = {"fault": "crash", "at": 0, "commit": KEEPING_COMMIT, "then": AT_COMMIT[plant][seed % len(AT_COMMIT[plant])]}
        for number, each in enumerate(rounds_of(seed, kinds, first_call, last_call, choices)):
            self.faults[each.fault] += 1
            job = {**base, "round": number, "of_day": plant in DAY_PLANTS, **vars(each), **near}
            self._live(job, promises, self._zygotes[number % len(self._zygotes)])
            early += not_kept(data, url, promises)
        last = [
            ["recover", ""],
            *(["rank", name] for name in sorted(promises.asked - promises.cancelled - promises.accepted.keys())),
        ]
        self._live({**base, "round": 9, "operations": last}, promises, self._zygotes[-1])
        found = [*early, *judged(data, url, promises)]
        self.acknowledged += promises.acknowledged
        self.of_day += promises.day.acknowledged
        shutil.rmtree(data)
        return found

    def _live(self, job: dict, promises: Promises, zygote: Zygote | None = None) -> None:
        child = (zygote or self._zygotes[0]).fork({"round": 0, **job, "fault": job.get("fault", "none")})
        ended = False
        for said in child:
            if said["kind"] == "restart" and self._postgres is not None:
                self._postgres.restart()
                child.answer()
            ended = ended or said["kind"] == "ended"
            self.struck += said["kind"] == "struck"
            promises.hear(said)
        child.close()
        self.deaths += not ended


def plants_missed(runner: Runner, names: list[str], tries: int) -> list[str]:
    """Return the planted bugs that no schedule noticed."""
    return [name for name in names if not any(runner.run(seed, plant=name) for seed in range(tries))]


def main(
    count: Annotated[int, typer.Option(help="Schedules to run.")] = 300,
    first_seed: Annotated[int, typer.Option(help="Seed of the first.")] = 1,
    server_every: Annotated[
        int, typer.Option(help="Every n-th runs on a PostgreSQL of its own that is restarted; 0 for none.")
    ] = 10,
    plant_tries: Annotated[int, typer.Option(help="Schedules tried to notice each planted bug.")] = 60,
) -> None:
    """Run the schedules, then every planted bug; one line of figures, and exit code 1 for any broken promise.

    Example: python -m harness.faults.schedules --count 300
    """
    reason = why_not() if server_every else "not asked for"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        zygotes = [stack.enter_context(Zygote(seed)) for seed in (0, 1)]
        postgres = None if reason else stack.enter_context(PrivatePostgres())
        runner = Runner(folder, zygotes, postgres)
        findings, on_server = [], 0
        for seed in range(first_seed, first_seed + count):
            server = postgres is not None and seed % server_every == 0
            on_server += server
            found = runner.run(seed, on_server=server)
            for kind, sentence in found:
                typer.echo(f"seed {seed}: {kind}: {sentence}", err=True)
            findings += found
            if seed % TOLD_EVERY == 0:
                typer.echo(f"{seed - first_seed + 1} of {count} schedules, {len(findings)} broken promises", err=True)
        deaths, struck, acknowledged, of_day = runner.deaths, runner.struck, runner.acknowledged, runner.of_day
        faults = ", ".join(f"{name} {number}" for name, number in sorted(runner.faults.items()))
        missed = plants_missed(runner, list(PLANTS), plant_tries)
    server = f"{on_server} on a failing PostgreSQL" if not reason else f"none on PostgreSQL ({reason})"
    bugs = f"{len(PLANTS) - len(missed)} of {len(PLANTS)} planted bugs noticed" + "".join(f", MISSED {name}" for name in missed)
    typer.echo(
        f"fault-schedules: {count} schedules, {server} ({faults}; {struck} struck, {deaths} processes died), "
        f"{acknowledged} rankings, {of_day} events and leases acknowledged: {figures(findings)}; {bugs}"
    )
    sys.exit(1 if findings or missed else 0)


if __name__ == "__main__":
    typer.run(main)
