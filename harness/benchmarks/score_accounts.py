"""ScoreAccounts beside a bare LightGBM predict.

The latency that a caller sees and the calls per second of `ScoringService.ScoreAccounts` with 1 account and with 1,000, through
a real server in a process of its own on the same machine, beside LightGBM's `predict` on a ready matrix of the same rows. A
call does what a bare predict does not: message to columns, admission, features, calibration, eligibility and value in every
queue of the bundled plan, reason codes from LightGBM's contributions unless left out, and back. Callers wait for an answer
before they send again; they are Python threads and share the two cores with the server. A tenth of the calls come before as a
warm-up.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from collections_opt.api.v1 import account_pb2, scoring_service_pb2, scoring_service_pb2_grpc
from collections_opt.application.settings import bundled_plan
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.service.converters.accounts import MONTH_FIELDS, field_of
from collections_opt.wire.common import write_date
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import MODELS, resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import closed_loop, served

WAIT = 60.0
FIGURES = ("p50 ms", "p95 ms", "p99 ms", "calls / s", "accounts / s")


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


def score_request(raw: RawPortfolio, reasons: bool = True) -> scoring_service_pb2.ScoreAccountsRequest:
    """Return the request that scores a portfolio's rows in the queues of the bundled plan."""
    return scoring_service_pb2.ScoreAccountsRequest(
        accounts=account_messages(raw),
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


def score_accounts(measure: Measure, accounts: int, calls: int, callers: int, reasons: bool = True) -> None:
    """Call a real server."""
    with tempfile.TemporaryDirectory() as name:
        request = score_request(resampled_portfolio(Path(name), accounts, seed=7), reasons)
        with served(Path(name) / "data") as server, server.channel() as channel:
            stub = scoring_service_pb2_grpc.ScoringServiceStub(channel)
            closed_loop(lambda: stub.ScoreAccounts(request, timeout=WAIT), callers, max(callers, calls // 10))
            with measure.stage("calls", server.process):
                load = closed_loop(lambda: stub.ScoreAccounts(request, timeout=WAIT), callers, calls)
            load.record(measure)
            measure.figures["accounts / s"] = measure.figures["calls / s"] * accounts


def bench(options: Options) -> Report:
    """Measure 1 and 1,000 accounts, one caller and as many as the server has places for work."""
    tables, results = [], []
    for accounts, calls in ((1, 100), (1_000, 8)) if options.small else ((1, 2_000), (1_000, 40)):
        name = "1 account" if accounts == 1 else f"{accounts:,} accounts"
        cases = [run_case("bare predict", bare_predict, options.runs, accounts=accounts, calls=calls)]
        for callers, reasons in ((1, True), (1, False), (4, True), (4, False)):
            title = f"ScoreAccounts, {callers} caller{'s' * (callers > 1)}{'' if reasons else ', no reasons'}"
            arguments = {"accounts": accounts, "calls": calls, "callers": callers, "reasons": reasons}
            cases.append(run_case(title, score_accounts, options.runs, **arguments))
        tables.append(_table(name, cases))
        results += cases
    return Report(tables, results)


def _table(name: str, cases: list[Result]) -> Table:
    bare = cases[0].figures
    lines = tuple(
        (
            case.name,
            *(number(case.figures[figure]) for figure in FIGURES),
            f"{case.figures['p50 ms'] / bare['p50 ms']:.1f}",
            f"{case.figures['accounts / s'] / bare['accounts / s']:.3f}",
        )
        for case in cases
    )
    return Table(name, ("case", *FIGURES, "p50 / bare p50", "throughput / bare"), lines)


if __name__ == "__main__":
    main(sys.modules[__name__])
