"""Pages of the console over a ranking of 1,000,000 accounts.

A server and a console, each in a process of its own, over a portfolio that was ranked by expected value and by the probability of
a cure; one person who opens each page 50 times over HTTP. First content: from the request until the first part of the page came,
which holds the frame and the first answer of the API; whole: until its last part came. Memory: by how much the resident memory of
each process grew over these loads, after a first load of each page. The browser's own time to draw is not in it.
"""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import psutil

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import open_workspace
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from harness.benchmarks.support.cases import ROOT, Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import MODELS, plan_of_queues, resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import served

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
PAGES = ("/today", "/what-if", "/orders", "/account", "/data", "/models", "/evidence")
LOADS = 50
TARGET_MS, TARGET_MB = 300.0, 100.0
SERVER, CONSOLE, FIRST = "server MB grown", "console MB grown", "server MB at first loads"


def pages_opened(measure: Measure, accounts: int, loads: int) -> None:
    """Rank, serve, and open every page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        account = _ranked(folder, accounts)
        with served(folder / "data") as server, _console(server.address) as (url, process):
            person, processes = Person(url), (psutil.Process(server.process), psutil.Process(process))
            fresh = processes[0].memory_info().rss
            for path in PAGES:
                person.open(path, account)
            held = [each.memory_info().rss for each in processes]
            measure.figures[FIRST] = (held[0] - fresh) / 1e6
            for path in PAGES:
                with measure.stage(path):
                    times = np.array([person.open(path, account) for _ in range(loads)]) * 1e3
                measure.figures[f"{path} first p95 ms"] = float(np.quantile(times[:, 0], 0.95))
                measure.figures[f"{path} first p50 ms"] = float(np.quantile(times[:, 0], 0.5))
                measure.figures[f"{path} whole p95 ms"] = float(np.quantile(times[:, 1], 0.95))
            for title, each, before in zip((SERVER, CONSOLE), processes, held, strict=True):
                measure.figures[title] = (each.memory_info().rss - before) / 1e6


def _ranked(folder: Path, accounts: int) -> str:
    """Import and rank in two orders; return an account that is worked."""
    workspace = open_workspace(folder / "data", MODELS, lambda: NOW)
    plan = workspace.books.save_plan(plan_of_queues(20, accounts, 7), None)
    workspace.books.import_portfolio("bench", resampled_portfolio(folder, accounts, seed=7))
    orders = (Ordering.EXPECTED_VALUE, Ordering.P_CURE)
    made = [
        workspace.rank(
            RankingCommand(str(uuid.UUID(int=seed, version=4)), "bench", plan.plan_id, None, order, bundled_parameters(), seed=7),
            ignore_progress,
        )
        for seed, order in enumerate(orders)
    ]
    entries = workspace.recorded.open(made[0].ranking_id).entries
    account = bytes(entries.account_id[int(np.flatnonzero(entries.queue >= 0)[0])]).decode()
    workspace.close()
    return account


@contextmanager
def _console(address: str) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "scripts/console.py", "--address", address, "--insecure-loopback", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line.startswith("console on "):
                raise RuntimeError(f"the console did not start: {line!r}")
            yield line.removeprefix("console on ").strip(), process.pid
        finally:
            process.terminate()


@dataclass
class Person:
    """Signed in at a console."""

    url: str
    cookie: str = ""
    csrf: str = ""

    def __post_init__(self) -> None:
        answer, _ = self._ask("/sign-in", {"name": "bench", "role": "ADMIN"})
        self.cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
        _, text = self._ask("/data", None)
        self.csrf = re.search(r'name="csrf" value="([^"]+)"', text)[1]

    def open(self, path: str, account: str) -> tuple[float, float]:
        """Open a page; return seconds until its first part and until its last."""
        begin = time.perf_counter()
        form = {"account": account, "csrf": self.csrf} if path == "/account" else None
        connection, answer = self._request(path, form)
        answer.read1()
        first = time.perf_counter() - begin
        text = answer.read()
        whole = time.perf_counter() - begin
        connection.close()
        if answer.status != 200 or b"</html>" not in text:
            raise RuntimeError(f"{path} answered {answer.status}")
        return first, whole

    def _ask(self, path: str, form: dict[str, str] | None) -> tuple[http.client.HTTPResponse, str]:
        connection, answer = self._request(path, form)
        text = answer.read().decode()
        connection.close()
        return answer, text

    def _request(self, path: str, form: dict[str, str] | None) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        host = urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(host, timeout=600)
        headers = {"Origin": f"http://{host}", "Cookie": self.cookie}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if form is None else "POST", path, None if form is None else urlencode(form), headers)
        return connection, connection.getresponse()


def bench(options: Options) -> Report:
    """Open every page over a large ranking."""
    accounts, loads = (10_000, 10) if options.small else (1_000_000, LOADS)
    result = run_case(f"{accounts:,} accounts", pages_opened, 1, accounts=accounts, loads=loads)
    return Report([_table(result, loads)], [result], _remarks(result))


def _table(result: Result, loads: int) -> Table:
    names = ("first p50 ms", "first p95 ms", "whole p95 ms")
    lines = [(path, *(number(result.figures[f"{path} {name}"]) for name in names)) for path in PAGES]
    return Table(f"{result.name}, {loads} loads of each page", ("page", *names), tuple(lines))


def _remarks(result: Result) -> list[str]:
    slowest = max(PAGES, key=lambda path: result.figures[f"{path} first p95 ms"])
    worst, grown = result.figures[f"{slowest} first p95 ms"], result.figures[SERVER]
    return [
        f"Target: first content of every page within {TARGET_MS:.0f} ms at p95: {'met' if worst <= TARGET_MS else 'NOT met'}; "
        f"the slowest is {slowest} with {number(worst)} ms.",
        f"Target: the server grows by less than {TARGET_MB:.0f} MB: {'met' if grown < TARGET_MB else 'NOT met'} "
        f"({number(grown)} MB; the console {number(result.figures[CONSOLE])} MB).",
        f"Before that, the first load of each page made the server read and keep {number(result.figures[FIRST])} MB.",
    ]


if __name__ == "__main__":
    main(sys.modules[__name__])
