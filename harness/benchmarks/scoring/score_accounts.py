"""ScoreAccounts beside a bare model server and a bare LightGBM predict.

The latency that a caller sees, the calls per second and the server's processor time per call of `ScoringService.ScoreAccounts`
with 1 account and with 1,000, through a real server in a process of its own on the same machine. Beside it MLServer 1.7.1 serves,
over gRPC in a process of its own, the cure booster that release 0.2.0 served (944 trees) on a ready matrix and nothing else:
what a user would run instead; and LightGBM's `predict` in the caller's process on the rows and the model that ScoreAccounts has
now. A call does what the others do not: message to columns, admission, features, calibration, eligibility and value in every
queue of the bundled plan, reason codes from LightGBM's contributions unless left out, and back. A thousand accounts are sent both
as messages and packed, as columns of one chunk whose scores come back as columns; the goals judge the best way that a caller has,
and both are printed. Packing a table and reading the answer into numpy are the caller's, as making messages is, and take no part.
Callers have a connection each
and wait for an answer before they send again; they are Python threads and share the two cores with the server. Calls that are
refused for want of a place count nowhere but in their own column. A tenth of the calls come before as
a warm-up.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import grpc

from collections_opt.api.v1 import account_pb2, scoring_service_pb2, scoring_service_pb2_grpc
from collections_opt.application.settings import bundled_plan
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.service.converters.accounts import MONTH_FIELDS, field_of
from collections_opt.wire.columns import Columns, encode_chunk, told_rows
from collections_opt.wire.common import write_date
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.model_server import model_server
from harness.benchmarks.support.portfolios import MODELS, resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import Own, closed_loop, cpu_seconds, served

WAIT = 60.0
FIGURES = ("p50 ms", "p95 ms", "p99 ms", "calls / s", "CPU ms / call", "refused")

GOALS = {1: {"no reasons": 1.5, "reasons": 2.5}, 1_000: {"no reasons": 1.0, "reasons": 2.5}}
"""At most so many times MLServer's p50 with one caller, by accounts and what is asked for."""

PACKED_ACCOUNTS = 1_000
"""So many accounts are sent packed too."""

CALLERS, LEAST_THROUGHPUT = 8, 0.8
"""With so many callers and one account: at least so many times MLServer's calls a second."""

MOST_CPU_MS = 3.0
"""The server's processor time of a call with one account and without reasons."""


def account_messages(raw: RawPortfolio) -> list[account_pb2.Account]:
    """Return a portfolio whose every cell has a value as row messages."""
    scalars = {field_of(ACCOUNT_SCHEMA[n]): c.tolist() for n, c in raw.columns.items() if not ACCOUNT_SCHEMA[n].is_history}
    histories = {MONTH_FIELDS[n]: c.tolist() for n, c in raw.columns.items() if ACCOUNT_SCHEMA[n].is_history}
    longest = max(len(column[0]) for column in histories.values())
    return [
        account_pb2.Account(
            **{name: column[row] for name, column in scalars.items()},
            months=[
                account_pb2.MonthlyFigures(**{n: c[row][month] for n, c in histories.items() if month < len(c[row])})
                for month in range(longest)
            ],
        )
        for row in range(len(scalars["account_id"]))
    ]


def score_request(raw: RawPortfolio, reasons: bool = True, packed: bool = False) -> scoring_service_pb2.ScoreAccountsRequest:
    """Return the request that scores a portfolio's rows in the queues of the bundled plan, as messages or packed."""
    chunk = encode_chunk(told_rows(Columns(raw.row_count, raw.columns, raw.present))) if packed else None
    return scoring_service_pb2.ScoreAccountsRequest(
        accounts=[] if packed else account_messages(raw),
        chunk=chunk,
        as_of_date=write_date(raw.as_of_date),
        time_zone=raw.time_zone,
        currency_code=raw.currency_code,
        capacity_plan_id=bundled_plan().plan_id,
        omit_reason_codes=not reasons,
    )


def bare_predict(measure: Measure, accounts: int, calls: int) -> None:
    """Predict a ready feature matrix with the shipped model."""
    with tempfile.TemporaryDirectory() as folder:
        portfolio = admit(resampled_portfolio(Path(folder), accounts, seed=7)).portfolio
    matrix, booster = build_features(portfolio).matrix, load_artifact(MODELS, "credit-card-4").predictor
    closed_loop(lambda: booster.raw(matrix), 1, max(1, calls // 10))
    with measure.stage("calls"):
        load = closed_loop(lambda: booster.raw(matrix), 1, calls)
    load.record(measure)
    measure.figures["accounts / s"] = measure.figures["calls / s"] * accounts


def bare_server(measure: Measure, accounts: int, calls: int, callers: int) -> None:
    """Call MLServer."""
    with model_server(accounts) as server, ExitStack() as opened:
        channels = Own(lambda: opened.enter_context(grpc.insecure_channel(server.address)))
        _load(measure, lambda: server.infer(channels.mine()), server.process, callers, calls)


def score_accounts(measure: Measure, accounts: int, calls: int, callers: int, reasons: bool = True, packed: bool = False) -> None:
    """Call a real server."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        request = score_request(resampled_portfolio(Path(name), accounts, seed=7), reasons, packed)
        server = opened.enter_context(served(Path(name) / "data"))
        stubs = Own(lambda: scoring_service_pb2_grpc.ScoringServiceStub(opened.enter_context(server.channel())))
        _load(measure, lambda: stubs.mine().ScoreAccounts(request, timeout=WAIT), server.process, callers, calls)


def _load(measure: Measure, call: Callable[[], object], process: int, callers: int, calls: int) -> None:
    closed_loop(call, callers, max(callers, calls // 10))
    before = cpu_seconds(process)
    with measure.stage("calls", process):
        load = closed_loop(call, callers, calls)
    load.record(measure)
    measure.figures["CPU ms / call"] = (cpu_seconds(process) - before) / len(load.latencies) * 1e3


def bench(options: Options) -> Report:
    """Measure 1 and 1,000 accounts, one caller and several."""
    tables, results, notes = [], [], []
    for accounts, calls in ((1, 100), (1_000, 8)) if options.small else ((1, 2_000), (1_000, 40)):
        name = "1 account" if accounts == 1 else f"{accounts:,} accounts"
        given = {"accounts": accounts, "calls": calls}
        cases = [run_case("bare predict", bare_predict, options.runs, **given)]
        for callers in (1, CALLERS):
            several = f"{callers} caller{'s' * (callers > 1)}"
            cases.append(run_case(f"MLServer, {several}", bare_server, options.runs, **given, callers=callers))
            for packed in (False, True) if accounts == PACKED_ACCOUNTS else (False,):
                for reasons in (True, False):
                    how = {"callers": callers, "reasons": reasons, "packed": packed}
                    cases.append(run_case(_title(**how), score_accounts, options.runs, **given, **how))
        tables.append(_table(name, cases))
        notes += _notes(name, accounts, {case.name: case.figures for case in cases})
        results += cases
    return Report(tables, results, notes)


def _title(callers: int, reasons: bool, packed: bool) -> str:
    several = f"{callers} caller{'s' * (callers > 1)}"
    return f"ScoreAccounts{', packed' * packed}, {several}{'' if reasons else ', no reasons'}"


def _table(name: str, cases: list[Result]) -> Table:
    by_callers = {case.name.rpartition(", ")[2]: case.figures for case in cases if case.name.startswith("MLServer")}

    def beside(case: Result) -> tuple[str, str]:
        for callers, bare in by_callers.items():
            if f", {callers}" in case.name:
                ratios = (case.figures[figure] / bare[figure] for figure in ("p50 ms", "calls / s"))
                return tuple(f"{ratio:.2f}" for ratio in ratios)  # type: ignore[return-value]
        return "", ""

    lines = tuple((case.name, *(number(case.figures.get(f, 0)) for f in FIGURES), *beside(case)) for case in cases)
    return Table(name, ("case", *FIGURES, "p50 / MLServer's", "calls / s / MLServer's"), lines)


def _notes(name: str, accounts: int, figures: dict[str, dict[str, float]]) -> list[str]:
    bare, notes = figures["MLServer, 1 caller"]["p50 ms"], []
    for asked, most in GOALS[accounts].items():
        titles = [_title(1, asked == "reasons", packed) for packed in (False, True)]
        ratios = {title: figures[title]["p50 ms"] / bare for title in titles if title in figures}
        best = min(ratios, key=lambda title: ratios[title])
        notes += [
            f"{name}, {title}: {ratio:.2f} times MLServer's p50" + (f"; {_goal(ratio, most)}." if title == best else ".")
            for title, ratio in ratios.items()
        ]
    if accounts == 1:
        cpu = figures["ScoreAccounts, 1 caller, no reasons"]["CPU ms / call"]
        notes.append(f"{name}, without reasons: {cpu:.2f} ms of the server's processor; {_goal(cpu, MOST_CPU_MS)}.")
        ours = figures[f"ScoreAccounts, {CALLERS} callers, no reasons"]["calls / s"]
        ratio = ours / figures[f"MLServer, {CALLERS} callers"]["calls / s"]
        met = "met" if ratio >= LEAST_THROUGHPUT else "missed"
        notes.append(
            f"{name}, {CALLERS} callers: {ratio:.2f} times its calls a second; goal at least {LEAST_THROUGHPUT:g}: {met}."
        )
    return notes


def _goal(found: float, most: float) -> str:
    return f"goal at most {most:g}: {'met' if found <= most else 'missed'}"


if __name__ == "__main__":
    main(sys.modules[__name__])
