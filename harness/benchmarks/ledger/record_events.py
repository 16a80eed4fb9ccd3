"""Events recorded in batches of 1,000, beside a bare INSERT of the same sealed rows, on SQLite and on PostgreSQL.

The product seals every event under the key of whom it concerns, compares ids, hashes a tree over the batch and puts its root
under a leaf of the log. The rival inserts rows of the same size into a table with the same key, a transaction per batch, and
proves nothing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from collections_opt.application.workspace import open_workspace
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.limits import MAX_EVENTS
from harness.benchmarks.support.cases import run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.faults.private_postgres import PrivatePostgres, why_not

MODELS = Path(__file__).parents[3] / "models"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ACCOUNTS, SEALED_BYTES = 20_000, 256
TARGET, TARGET_RATIO = 5_000, 3.0


def recorded(measure: Measure, events: int, url: str) -> None:
    """Record events by the product, then rows of their size by a bare INSERT, in the same batches."""
    batches = range(0, events, MAX_EVENTS)
    with tempfile.TemporaryDirectory() as name:
        with closing(open_workspace(Path(name), MODELS, lambda: NOW, url)) as workspace:
            told = [[_event(n) for n in range(start, min(start + MAX_EVENTS, events))] for start in batches]
            begin = time.perf_counter()
            with measure.stage("product"):
                for batch in told:
                    workspace.day.events.record(batch, UNKNOWN)
            taken = time.perf_counter() - begin
        bare = _bare(measure, events, url or f"sqlite:///{Path(name) / 'bare.db'}")
    rates = {"events a second": events / taken, "bare rows a second": events / bare}
    measure.figures |= {**rates, "time / bare INSERT": taken / bare}


def _event(number_: int) -> Event:
    account = f"acc-{number_ % ACCOUNTS:06d}"
    return Event(f"pay-{number_}", EventKind.PAYMENT, NOW, account, amount_minor=10_000 + number_)


def _bare(measure: Measure, events: int, url: str) -> float:
    engine = sa.create_engine(url)
    table = sa.Table(
        "bare_rows",
        sa.MetaData(),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id_digest", sa.Text, nullable=False, unique=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    table.create(engine)
    begin = time.perf_counter()
    with measure.stage("bare INSERT"):
        for start in range(0, events, MAX_EVENTS):
            numbers = range(start, min(start + MAX_EVENTS, events))
            rows = [{"sequence": n, "id_digest": f"{n:064d}", "sealed": bytes(SEALED_BYTES)} for n in numbers]
            with engine.begin() as connection:
                connection.execute(table.insert(), rows)
    taken = time.perf_counter() - begin
    engine.dispose()
    return taken


def bench(options: Options) -> Report:
    """Record on both databases."""
    events = 3_000 if options.small else 50_000
    results, reason = [run_case("SQLite", recorded, options.runs, events=events, url="")], why_not()
    if not reason:
        with PrivatePostgres() as server:
            results.append(run_case("PostgreSQL", recorded, 1, events=events, url=server.new_database()))
    names = ("events a second", "bare rows a second", "time / bare INSERT")
    lines = tuple((result.name, *(number(result.figures[name]) for name in names)) for result in results)
    slowest = min(result.figures[names[0]] for result in results)
    worst = max(result.figures[names[2]] for result in results)
    met = "met" if slowest >= TARGET and worst <= TARGET_RATIO else "NOT met"
    goal = f"Goal: {TARGET:,} a second in at most {TARGET_RATIO:.0f} times a bare INSERT"
    remark = f"{goal}; {number(slowest)} and {number(worst)}: {met}."
    remarks = [remark, *([f"PostgreSQL was not measured: {reason}."] if reason else [])]
    return Report([Table(f"{events:,} events in batches of {MAX_EVENTS:,}", ("database", *names), lines)], results, remarks)


if __name__ == "__main__":
    main(sys.modules[__name__])
