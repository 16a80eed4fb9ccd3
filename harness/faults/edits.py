"""A verified ledger to edit by whoever owns the disk and the database, and the edits."""

from __future__ import annotations

import random
import shutil
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import structlog

from collections_opt.application.evidence.findings import Verdict
from collections_opt.application.records.ranking_facts import objects_of
from collections_opt.application.settings import dump
from collections_opt.application.workspace import Workspace, open_workspace
from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError
from collections_opt.core.models.lifecycle import ApprovalMode
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.resources import ResourceApproval, ResourceKind
from collections_opt.core.rules.tables import Rule, RuleKind, RuleTable
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.log.logged_rows import LOGGED, reference_of
from collections_opt.ledger.records import CapacityAct, CapacityActKind, OutcomeKind, RequestKey
from collections_opt.ledger.requests.idempotency import insert_answer
from collections_opt.ledger.store.database import timestamp
from collections_opt.ledger.store.schema import metadata
from collections_opt.ledger.tables.resources import NewVersion
from harness.faults.book import MODELS, NOW, PLAN, command, prepare

RANKINGS = 3
LIVING = {
    "leases": "rows of leases live and change; what they end in is an event",
}
TABLES = tuple(name for name in metadata.tables if name not in LIVING)
CITY = RuleTable(
    "city",
    (Rule("city-cap", 1, RuleKind.BUDGET, "calls_last_7_days_count", date(2026, 1, 1), threshold=30, jurisdictions=("GB",)),),
    strict_places=True,
)
"""A table in force beside the shipped one; it binds nobody of the book."""
UNPROTECTED = {"alembic_version": "records nothing but the schema of the tables; an unknown one is refused at opening", **LIVING}
"""Tables that are not edited here, and why not."""
KINDS = ("cell", "cell", "cell", "cell", "row removed", "row added", "object", "object", "checkpoint")


@dataclass(frozen=True)
class Edit:
    """One edit: what was done, and the names of which one must be in what is found."""

    kind: str
    what: str
    names: tuple[str, ...]


@dataclass
class Bench:
    """A verified ledger that is edited and restored, edit by edit."""

    folder: Path
    workspace: Workspace
    ranking_ids: list[str] = field(default_factory=list)
    tables: tuple[str, ...] = TABLES
    lines: dict[str, int] = field(default_factory=Counter)

    @property
    def file(self) -> Path:
        return self.folder / "ledger.db"

    def verdicts(self) -> list[Verdict]:
        """Verify everything anew; nothing that was read before is trusted."""
        self.workspace.rankings._sealed._last.clear()
        verification = self.workspace.evidence.verification
        return [verification.verify_log(), *(verification.verify_ranking(name) for name in self.ranking_ids)]

    def found(self) -> list[str]:
        """Return what does not hold, each with the subject it was found in."""
        try:
            verdicts = self.verdicts()
        except CollectionsError as error:
            return [str(error)]
        except Exception as error:  # noqa: BLE001 - what cannot even be read was found, but says too little to locate it
            return [f"{type(error).__name__}"]
        return [f"{v.subject}: {check.sentence}" for v in verdicts for check in v.checks if not check.holds]

    def execute(self, statement: str, values: tuple = ()) -> int:
        """Change the database file as its owner would, with no trigger in the way."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            changed = connection.execute(statement, values).rowcount
            connection.commit()
        return changed

    def rows(self, table: str) -> list[dict]:
        with closing(sqlite3.connect(self.file)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Yield a ledger with a few rankings, all of which verify."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    workspace = open_workspace(folder, MODELS, lambda: NOW)
    prepare(workspace)
    saved = NewVersion(ResourceKind.RULE_TABLE, "rules", date(2026, 1, 1), dump(CITY), Actor("ann"))
    version = workspace.ledger.resources.add(saved, NOW).version
    approval = ResourceApproval(Actor("ben"), ApprovalMode.PEOPLE, "read", NOW.isoformat())
    workspace.ledger.resources.approve(ResourceKind.RULE_TABLE, "rules", version, approval)
    with workspace.ledger.database.write() as connection:
        insert_answer(connection, RequestKey("answered", "a call", "x"), "{}", timestamp(NOW))
    made = [workspace.rank(command(str(uuid.UUID(int=number, version=4))), ignore_progress) for number in range(RANKINGS)]
    for each in made:
        workspace.trail.note("ListWorklist", Actor("ann"), {"ranking_id": each.ranking_id}, [])
    told = [Event(f"e{number}", EventKind.PAYMENT, NOW, account_id="acc-001", amount_minor=5) for number in (1, 2)]
    EventLog(workspace.ledger.database, workspace.evidence.erasures._keys).record(told, Actor("ann"), NOW)
    act = CapacityAct(PLAN.plan_id, 0, CapacityActKind.DAYS, 0, "2026-11-27", "2026-11-28", "{}", "")
    workspace.ledger.capacity_acts.add(act, workspace.ledger.capacity_acts.book(PLAN.plan_id).state, NOW)
    workspace.ledger.outcomes.add(OutcomeKind.FILE, made[0].portfolio_id, "", {"source": "a file"}, "", NOW, Actor("ann"))
    workspace.ledger.reads.anchor()
    workspace.evidence.erasures._recorder.publish()
    ready = Bench(folder, workspace, [each.ranking_id for each in made])
    assert ready.found() == []
    yield ready
    workspace.close()


def _other(value: object, draw: random.Random) -> object:
    """Return a value of the same kind that is not the same."""
    if isinstance(value, bytes):
        at = draw.randrange(len(value))
        return value[:at] + bytes([value[at] ^ (1 << draw.randrange(8))]) + value[at + 1 :]
    if isinstance(value, int):
        return value + draw.choice((-1, 1, 60, 1_000_000))
    text = str(value)
    if not text or draw.random() < 0.2:
        return text + "x"
    at = draw.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]


def _names_of(table: str, row: dict, owned: dict[str, list[str]]) -> tuple[str, ...]:
    if table in ("subject_key_blocks", "subject_directory"):
        return ("account keys", "account directory")
    if table == "erasure_permits":
        return ("erasure permits",)
    if table == "day_events":
        return (f"event {row['sequence']} ", "events ")
    logged = {each.name: kind for kind, each in LOGGED.items()}
    if table in logged and table != "portfolios":
        return (f"{logged[table].replace('_', ' ')} {reference_of(logged[table], row)}:", reference_of(logged[table], row))
    names = [str(row[key]) for key in ("ranking_id", "subject", "reference", "portfolio_id") if row.get(key)]
    if table == "ranking_entries":
        names += owned.get(f"entries of {row['seq']}", [])
    for name in list(names):
        names += owned.get(name, [])
    number = row.get("position", row.get("seq"))
    places = (
        f"ranking number {number}:",
        f"event {number}",
        f"log entry {number} ",
        f"position {number} ",
        f"where {number} belongs",
    )
    return (*names, *(places if number is not None else ()))


def _key(table: str) -> str:
    return " AND ".join(f"{column.name} = ?" for column in metadata.tables[table].primary_key)


def _key_of(table: str, row: dict) -> tuple:
    return tuple(row[column.name] for column in metadata.tables[table].primary_key)


def _row(bench: Bench, draw: random.Random) -> tuple[str, dict]:
    table = draw.choice([name for name in bench.tables if name != "erasure_permits"])
    return table, draw.choice(bench.rows(table))


def edit_cell(bench: Bench, draw: random.Random) -> Edit | None:
    """Change one cell of one row."""
    table, row = _row(bench, draw)
    return edit_column(bench, draw, table, row, draw.choice([c.name for c in metadata.tables[table].columns]))


def edit_column(bench: Bench, draw: random.Random, table: str, row: dict, column: str) -> Edit | None:
    """Change one column of one row; to what another row holds there, where the database lets nothing else in."""
    statement, others = f"UPDATE {table} SET {column} = ? WHERE {_key(table)}", {each[column] for each in bench.rows(table)}
    for value in (_other(row[column], draw), *sorted(others - {row[column]}, key=str)):
        try:
            bench.execute(statement, (value, *_key_of(table, row)))
        except sqlite3.IntegrityError:
            continue  # refused by the database's own constraints
        return Edit("cell", f"{table}.{column}", _names_of(table, row, _owned(bench)))
    return None


def remove_row(bench: Bench, draw: random.Random) -> Edit | None:
    """Take one row away."""
    table, row = _row(bench, draw)
    bench.execute(f"DELETE FROM {table} WHERE {_key(table)}", _key_of(table, row))
    return Edit("row removed", table, (*_names_of(table, row, _owned(bench)), "tail", "published", "seq", "sequence"))


def add_row(bench: Bench, draw: random.Random) -> Edit | None:
    """Add a forged copy of a row under another key."""
    table = draw.choice(bench.tables)
    rows = bench.rows(table) or [{"account_id": "acc-007"}]  # no permit outlives its erasure
    row = {**draw.choice(rows)}
    owned = _owned(bench)
    names = _names_of(table, row, owned)
    for column in metadata.tables[table].primary_key:
        row[column.name] = row[column.name] + (1_000 if isinstance(row[column.name], int) else "-forged")
    for column in metadata.tables[table].columns:
        if column.unique and not column.primary_key:
            row[column.name] = row[column.name] + (1_000 if isinstance(row[column.name], int) else "-forged")
    places = ", ".join("?" * len(row))
    bench.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))
    return Edit("row added", table, (*names, *_names_of(table, row, owned)))


def edit_object(bench: Bench, draw: random.Random) -> Edit | None:
    """Damage, shorten, swap or remove the file of an object that a record names."""
    owned = _objects(bench)
    digest = draw.choice(sorted(owned))
    path = bench.folder / "objects" / digest[:2] / digest
    content = path.read_bytes()
    how = draw.choice(("flip", "flip", "cut", "append", "swap", "remove"))
    if how == "swap":
        other = draw.choice([name for name in sorted(owned) if name != digest])
        content = (bench.folder / "objects" / other[:2] / other).read_bytes()
    elif how == "cut":
        content = content[: draw.randrange(len(content))]
    elif how == "append":
        content += b"\0"
    elif how == "flip":
        content = bytes(_other(content, draw))
    path.unlink()
    if how != "remove":
        path.write_bytes(content)
    return Edit("object", how, (digest, *owned[digest]))


def edit_checkpoint(bench: Bench, draw: random.Random) -> Edit | None:
    """Change a character of a checkpoint, or put another one in its place."""
    paths = sorted((bench.folder / "checkpoints").glob("*.txt"))
    path = draw.choice(paths)
    text = path.read_text("utf-8")
    if draw.random() < 0.3:
        path.write_text(draw.choice([p for p in paths if p != path]).read_text("utf-8").replace("\n", "\n", 1), "utf-8")
        changed = path.read_text("utf-8") != text
        moved = path.read_text("utf-8") in {p.read_text("utf-8") for p in paths if p != path}
        return Edit("checkpoint", "swapped", (path.name,)) if changed and not moved else None
    at = draw.randrange(len(text))
    path.write_text(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :], "utf-8")
    return Edit("checkpoint", "changed", (path.name,))


EDITS: dict[str, Callable[[Bench, random.Random], Edit | None]] = {
    "cell": edit_cell,
    "row removed": remove_row,
    "row added": add_row,
    "object": edit_object,
    "checkpoint": edit_checkpoint,
}


def _objects(bench: Bench) -> dict[str, list[str]]:
    """Return the rankings that name each object."""
    owned: dict[str, list[str]] = {}
    for ranking_id in bench.ranking_ids:
        ranking = bench.workspace.ledger.rankings.get(ranking_id)
        stored = bench.workspace.ledger.portfolios.get(ranking.portfolio_id)
        named = [stored.object_digest, stored.quarantine_digest, *(digest for _, digest in objects_of(ranking.record))]
        for digest in named:
            owned.setdefault(digest, []).append(ranking_id)
    return owned


def _owned(bench: Bench) -> dict[str, list[str]]:
    """Return the rankings in which edits of a portfolio, and of the entries of a ranking's number, show."""
    owned: dict[str, list[str]] = {}
    for row in bench.rows("rankings"):
        owned.setdefault(row["portfolio_id"], []).append(row["ranking_id"])
        owned[f"entries of {row['seq']}"] = [row["ranking_id"]]
    return owned


@contextmanager
def undone(bench: Bench) -> Iterator[None]:
    saved = bench.folder.with_name("saved")
    shutil.rmtree(saved, ignore_errors=True)
    shutil.copytree(bench.folder, saved)
    bench.workspace.ledger.database._engine.dispose()
    try:
        yield
    finally:
        bench.workspace.ledger.database._engine.dispose()
        for part in ("objects", "checkpoints"):
            shutil.rmtree(bench.folder / part)
            shutil.copytree(saved / part, bench.folder / part)
        shutil.copyfile(saved / "ledger.db", bench.file)
