"""Databases restored and cut, and sweeps in wrong places: every fork is found at the start, and no object of a record is lost.

    python -m harness.faults.histories --count 60

A ledger is recorded step by step, its checkpoints copied to a second place. Then somebody restores an older database, takes the
newest records away together with their checkpoints, or records another history from an older state; or somebody sweeps with an
empty ledger, another one, an old one, a moved one, or at a foreign folder.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import structlog
import typer

from collections_opt.application.records import opening
from collections_opt.application.records.opening import Records, Whereabouts, open_records
from collections_opt.application.records.standing import Standing
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.ledger.identity import retire
from collections_opt.ledger.objects import sweeping
from collections_opt.ledger.objects.folder import FolderObjectStore
from harness.faults.book import MODELS, NOW, command, prepare

STEPS = 4
GRACE = timedelta(hours=2)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""When sweeps are made: every object is old by then."""


@dataclass(frozen=True)
class World:
    """A data folder, a second place of its checkpoints, and its database as it was after every step."""

    folder: Path

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def outside(self) -> Path:
        """The second place."""
        return self.folder / "outside"

    def step(self, number: int) -> Path:
        """The database after a step."""
        return self.folder / f"step-{number}.db"

    def open(self, *outside: Path) -> Records:
        """Open the records."""
        return open_records(Whereabouts(self.data, checkpoints_at=tuple(map(str, outside))), lambda: NOW)

    def restore(self, number: int) -> int:
        """Put the database of a step in place; return the size of its log."""
        shutil.copyfile(self.step(number), self.data / "ledger.db")
        ledger = opening.open_ledger(f"sqlite:///{self.step(number)}", FolderObjectStore(self.folder / "nothing"))
        size = ledger.log.tree().size
        ledger.close()
        return size

    def forget(self, size: int) -> None:
        """Remove the checkpoints in the data folder that saw more."""
        for path in (self.data / "checkpoints").glob("*.txt"):
            if int(path.stem.partition("-")[0]) > size:
                path.unlink()

    def objects(self) -> set[str]:
        """Return the names of all objects."""
        return {path.name for path in (self.data / "objects").glob("??/*")}


def make_world(folder: Path) -> World:
    """Record a few rankings, keeping the database after each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    world = World(folder)
    workspace = open_workspace(world.data, MODELS, lambda: NOW, checkpoints_at=[str(world.outside)])
    prepare(workspace)
    for number in range(STEPS):
        workspace.rank(command(str(uuid.UUID(int=number, version=4))), ignore_progress)
        shutil.copyfile(world.data / "ledger.db", world.step(number))
    workspace.close()
    return world


def old_database(world: World, draw: random.Random) -> tuple[Path, ...]:
    """Restore an older database."""
    world.restore(draw.randrange(STEPS - 1))
    return ((), (world.outside,))[draw.randrange(2)]


def newest_removed(world: World, draw: random.Random) -> tuple[Path, ...]:
    """Take the newest records away together with their checkpoints; the second place has copies."""
    world.forget(world.restore(draw.randrange(STEPS - 1)))
    return (world.outside,)


def another_history(world: World, draw: random.Random) -> tuple[Path, ...]:
    """Record something else from an older state, where nobody looks at the second place."""
    world.forget(world.restore(draw.randrange(STEPS - 1)))
    records = world.open()
    for number in range(draw.randint(1, 40)):
        records.ledger.erasure.record_hold(
            f"other-{number}", {"placed": True, "key_numbers": [], "reason": "", "actor": {}, "at": ""}
        )
    records.recorder.publish()
    records.ledger.close()
    return (world.outside,)


def nothing(_world: World, _draw: random.Random) -> tuple[Path, ...]:
    """Leave everything as it is: then nothing may be found."""
    return ()


FORKS: dict[str, Callable[[World, random.Random], tuple[Path, ...]]] = {
    "old database": old_database,
    "newest removed": newest_removed,
    "another history": another_history,
    "untouched": nothing,
}


def with_empty_ledger(world: World) -> Whereabouts:
    """A new database beside the live objects."""
    return Whereabouts(world.folder / "empty", objects_url=str(world.data / "objects"))


def with_other_ledger(world: World) -> Whereabouts:
    """Another ledger, which has a store of its own."""
    other = World(world.folder / "other")
    other.open().ledger.close()
    return Whereabouts(other.data, objects_url=str(world.data / "objects"))


def with_old_ledger(world: World) -> Whereabouts:
    """A database restored from before the newest records."""
    world.restore(0)
    return Whereabouts(world.data)


def with_moved_ledger(world: World) -> Whereabouts:
    """A ledger that lives elsewhere now."""
    records = world.open()
    with records.ledger.database.write() as connection:
        retire(records.ledger.database, connection, "elsewhere", NOW)
    records.ledger.close()
    return Whereabouts(world.data)


def at_foreign_folder(world: World) -> Whereabouts:
    """Somebody else's folder of two-letter names, with files of our kind of name among them."""
    for name in ("hr/contract.pdf", "ab/" + "ab" * 32, "cd/" + "e" * 64):
        path = world.folder / "foreign" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")
    return Whereabouts(world.data, objects_url=str(world.folder / "foreign"))


WRONG_PLACES = (with_empty_ledger, with_other_ledger, with_old_ledger, with_moved_ledger, at_foreign_folder)


@contextmanager
def copied(world: World):
    """Yield a copy of a world that may be spoiled."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(world.folder, Path(name) / "world")
        yield World(Path(name) / "world")


def fork_found(world: World, kind: str, draw: random.Random) -> bool:
    """Return whether a start takes no writes after something was done to a copy of the world."""
    with copied(world) as spoiled:
        records = spoiled.open(*FORKS[kind](spoiled, draw))
        records.ledger.close()
        return not records.may_write


def lost_by_sweep(world: World, where: Callable[[World], Whereabouts]) -> int:
    """Return how many files a sweep in a wrong place removed."""
    with copied(world) as spoiled:
        at = where(spoiled)
        for path in (*spoiled.folder.glob("*/objects/??/*"), *spoiled.folder.glob("foreign/??/*")):
            os.utime(path, (0, 0))
        before = _files(spoiled)
        try:
            ledger = open_records(at, lambda: NOW).ledger
        except CollectionsError:
            return 0
        try:
            sweeping.sweep_objects(ledger.database, ledger.objects, GRACE, LATER, False)
        except CollectionsError:
            pass
        finally:
            ledger.close()
        return len(before - _files(spoiled))


def _files(world: World) -> set[str]:
    return {str(path) for path in (*world.folder.glob("*/objects/??/*"), *world.folder.glob("foreign/??/*"))}


@contextmanager
def blind() -> object:
    """Let nobody look at checkpoints, or at whose a store is: the planted bugs of this harness."""
    look, bind, kept = Standing.look, opening.bind_store, sweeping.refuse_whole_loss
    Standing.look = lambda _: []
    opening.bind_store = lambda *_: None
    sweeping.refuse_whole_loss = lambda *_: None
    try:
        yield
    finally:
        Standing.look, opening.bind_store, sweeping.refuse_whole_loss = look, bind, kept


def main(
    count: Annotated[int, typer.Option(help="Histories to try.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of what is done to them.")] = 1,
) -> None:
    """Restore, cut, fork and sweep; one line of figures, and exit code 1 for a fork that is missed or an object that is lost.

    Example: python -m harness.faults.histories --count 60
    """
    draw, kinds, wrong = random.Random(seed), Counter(), []
    with tempfile.TemporaryDirectory() as name:
        world = make_world(Path(name) / "world")
        for number in range(count):
            kind = list(FORKS)[number % len(FORKS)]
            kinds[kind] += 1
            if fork_found(world, kind, draw) == (kind == "untouched"):
                wrong.append(kind)
        lost = {where.__name__: lost_by_sweep(world, where) for where in WRONG_PLACES}
        noticed = plants_noticed(world, random.Random(seed))
    shown = ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
    bug = "both planted bugs were noticed" if all(noticed) else "A PLANTED BUG WAS MISSED"
    typer.echo(
        f"histories: {count} ({shown}): {len(wrong)} judged wrongly; {len(lost)} sweeps in wrong places removed "
        f"{sum(lost.values())} files; {bug}"
    )
    sys.exit(1 if wrong or any(lost.values()) or not all(noticed) else 0)


def plants_noticed(world: World, draw: random.Random) -> tuple[bool, bool]:
    """Return whether a start that does not look, and a sweep that asks nobody, show."""
    with blind():
        missed = not fork_found(world, "old database", draw)
        lost = lost_by_sweep(world, with_empty_ledger)
    return missed, lost > 0


if __name__ == "__main__":
    typer.run(main)
