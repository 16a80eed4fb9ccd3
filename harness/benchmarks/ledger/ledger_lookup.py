"""Look-ups by account and date with 1,000 rankings recorded, on SQLite and on PostgreSQL.

Every ranking is of another day and works 1,500 of 5,000 accounts; accounts recur from day to day. Each look-up is asked many
times for other accounts and days, drawn by a seed, over one connection pool as the server uses it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from collections_opt.core.ranking.ranking import Entries
from collections_opt.ledger.ledger import Ledger, open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.records import PortfolioRecord
from harness.benchmarks.support.cases import run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.faults.private_postgres import PrivatePostgres, why_not
from tests.support.entries import entries_of

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
FIRST_DAY = date(2024, 1, 1)
ACCOUNTS, WORKED, QUEUES = 5_000, 1_500, 5
ASKED = 300
TARGET_MS = 50.0


def looked_up(measure: Measure, rankings: int, url: str) -> None:
    """Record the rankings, then ask."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = open_ledger(url or f"sqlite:///{folder / 'ledger.db'}", FolderObjectStore(folder / "objects"))
        with measure.stage("record all"):
            for day in range(rankings):
                _record(ledger, day)
        rng = np.random.default_rng(1)
        asked = [(f"acc-{rng.integers(ACCOUNTS):05d}", FIRST_DAY + timedelta(int(rng.integers(rankings)))) for _ in range(ASKED)]
        with measure.stage("look up"):
            for title, look in LOOKUPS.items():
                times = np.array([_seconds(lambda a=a, d=d, look=look: look(ledger, a, d)) for a, d in asked]) * 1e3
                measure.figures[f"{title}, p50 ms"] = float(np.quantile(times, 0.5))
                measure.figures[f"{title}, p95 ms"] = float(np.quantile(times, 0.95))
                measure.figures[f"{title}, max ms"] = float(times.max())
        ledger.close()


def _record(ledger: Ledger, day: int) -> None:
    as_of = (FIRST_DAY + timedelta(day)).isoformat()
    book = PortfolioRecord(f"book-{as_of}", as_of, "UTC", "USD", ACCOUNTS, ACCOUNTS, 0, "d", "o", "q", NOW.isoformat())
    ledger.portfolios.add(book)
    ledger.requests.begin(f"ranking-{day}", f"request-{day}", "x", book.portfolio_id, "{}", NOW)
    ledger.rankings.complete(f"ranking-{day}", {"day": day}, _entries(day), NOW)


def _entries(day: int) -> Entries:
    rng = np.random.default_rng(day)
    queue = np.full(ACCOUNTS, -1, dtype=np.int16)
    rows = rng.permutation(ACCOUNTS)[:WORKED]
    queue[rows] = np.arange(WORKED) % QUEUES
    priority = np.zeros(ACCOUNTS, dtype=np.int32)
    priority[rows] = np.arange(WORKED) // QUEUES + 1
    return replace(
        entries_of(queue),
        account_id=np.array([f"acc-{number:05d}".encode() for number in range(ACCOUNTS)]),
        priority=priority,
        increment_minor=rng.integers(1, 100_000, ACCOUNTS),
    )


def _by_account_and_date(ledger: Ledger, account_id: str, day: date) -> None:
    for ranking_id in ledger.history.in_force(day):
        ledger.rankings.get(ranking_id)
        ledger.worklists.entry(ranking_id, account_id)


LOOKUPS: dict[str, Callable[[Ledger, str, date], object]] = {
    "account at a date": _by_account_and_date,
    "rankings of a date": lambda ledger, _account, day: ledger.history.in_force(day),
    "last day worked": lambda ledger, account, _day: ledger.history.last_worked_on(account),
    "page of a worklist": lambda ledger, _account, day: ledger.worklists.page(f"ranking-{(day - FIRST_DAY).days}", 0, 0, 100),
    "newest rankings": lambda ledger, _account, _day: ledger.rankings.before(None, 100),
}


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def bench(options: Options) -> Report:
    """Ask both databases."""
    rankings = 100 if options.small else 1_000
    results, reason = [run_case("SQLite", looked_up, 1, rankings=rankings, url="")], why_not()
    if not reason:
        with PrivatePostgres() as server:
            results.append(run_case("PostgreSQL", looked_up, 1, rankings=rankings, url=server.new_database()))
    lines, worst = [], 0.0
    for title in LOOKUPS:
        for result in results:
            shown = [result.figures[f"{title}, {name} ms"] for name in ("p50", "p95", "max")]
            base = results[0].figures[f"{title}, p50 ms"]
            worst = max(worst, shown[1])
            lines.append((f"{title}, {result.name}", *map(number, shown), f"{shown[0] / base:.2f}"))
    header = ("look-up", "p50 ms", "p95 ms", "max ms", "p50 / SQLite")
    table = Table(f"{rankings:,} rankings, {rankings * WORKED:,} worklist entries", header, tuple(lines))
    met = "met" if worst < TARGET_MS else "NOT met"
    remarks = [f"Target: under {TARGET_MS:.0f} ms each; the slowest p95 is {number(worst)} ms: {met}."]
    remarks += [f"PostgreSQL was not measured: {reason}."] if reason else []
    return Report([table], results, remarks)


if __name__ == "__main__":
    main(sys.modules[__name__])
