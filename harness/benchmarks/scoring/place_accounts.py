"""PlaceAccounts beside ScoreAccounts.

The latency that a caller sees of `RankingService.PlaceAccounts` with 1 new account and with 1,000, against a recorded
ranking, beside `ScoringService.ScoreAccounts` (without reason codes) of the same rows under the same plan. Placing scores
the accounts with the ranking's model, values them in every queue, compares each margin with the recorded prices, finds the
place each would take in its worklist, and says what would change the answer; it never solves. A real server in a process of
its own; one caller waits for an answer before it sends again. The first call of a ranking reads its entries and is shown on
its own.
"""

from __future__ import annotations

import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np

from collections_opt.api.v1 import (
    capacity_service_pb2,
    placement_pb2,
    ranking_pb2,
    ranking_service_pb2,
    ranking_service_pb2_grpc,
    scoring_service_pb2_grpc,
)
from collections_opt.client.portfolios import import_portfolio
from collections_opt.client.rankings import make_ranking
from collections_opt.wire.common import write_date
from collections_opt.wire.plans import write_plan
from harness.benchmarks.scoring.score_accounts import WAIT, account_messages, score_request
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import plan_of_queues, resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import closed_loop, served

FIGURES = ("first call ms", "p50 ms", "p95 ms", "p99 ms", "accounts / s")


def call(measure: Measure, kind: str, book: int, queues: int, accounts: int, calls: int) -> None:
    """Rank a book, then score or place other accounts."""
    with tempfile.TemporaryDirectory() as name:
        ranked = resampled_portfolio(Path(name), book, seed=7)
        fresh = resampled_portfolio(Path(name), accounts, seed=8)
        names = np.array([f"NEW-{account_id}" for account_id in fresh.columns["account_id"]], dtype=object)
        fresh = replace(fresh, columns={**fresh.columns, "account_id": names})
        with served(Path(name) / "data") as server, server.client() as client, server.channel() as channel:
            plan = write_plan(plan_of_queues(queues, book, seed=7))
            client.capacity.CreateCapacityPlan(capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan))
            import_portfolio(client, "book", ranked)
            request = ranking_service_pb2.CreateRankingRequest(
                request_id=str(uuid.UUID(int=7, version=4)),
                portfolio_id="book",
                capacity_plan_id=plan.plan_id,
                ordering=ranking_pb2.ORDERING_EXPECTED_VALUE,
            )
            ranking_id = make_ranking(client, request).ranking_id
            scoring = scoring_service_pb2_grpc.ScoringServiceStub(channel)
            rankings = ranking_service_pb2_grpc.RankingServiceStub(channel)
            score = score_request(fresh, reasons=False)
            score.capacity_plan_id = plan.plan_id
            place = placement_pb2.PlaceAccountsRequest(
                ranking_id=ranking_id,
                accounts=account_messages(fresh),
                as_of_date=write_date(fresh.as_of_date),
                time_zone=fresh.time_zone,
                currency_code=fresh.currency_code,
            )
            one = {
                "score": lambda: scoring.ScoreAccounts(score, timeout=WAIT),
                "place": lambda: rankings.PlaceAccounts(place, timeout=WAIT),
            }[kind]
            begin = time.perf_counter()
            one()
            measure.figures["first call ms"] = (time.perf_counter() - begin) * 1e3
            closed_loop(one, 1, max(1, calls // 10))
            with measure.stage("calls", server.process):
                load = closed_loop(one, 1, calls)
            load.record(measure)
            measure.figures["accounts / s"] = measure.figures["calls / s"] * accounts


def bench(options: Options) -> Report:
    """Measure 1 and 1,000 accounts against one ranking."""
    book, queues = (5_000, 5) if options.small else (100_000, 10)
    tables, results, ratios = [], [], []
    for accounts, calls in ((1, 50), (1_000, 5)) if options.small else ((1, 1_000), (1_000, 60)):
        name = f"{accounts:,} account{'s' * (accounts > 1)}"
        arguments = {"book": book, "queues": queues, "accounts": accounts, "calls": calls}
        cases = [
            run_case("ScoreAccounts", call, options.runs, kind="score", **arguments),
            run_case("PlaceAccounts", call, options.runs, kind="place", **arguments),
        ]
        ratios.append(f"{name}: {cases[1].figures['p50 ms'] / cases[0].figures['p50 ms']:.2f}")
        tables.append(_table(name, cases))
        results += cases
    remarks = [
        f"The ranking holds {book:,} accounts in {queues} queues.",
        f"Median latency of a placement as a multiple of a score: {'; '.join(ratios)}.",
    ]
    return Report(tables, results, remarks)


def _table(name: str, cases: list[Result]) -> Table:
    base = cases[0].figures["p50 ms"]
    lines = tuple(
        (case.name, *(number(case.figures[f]) for f in FIGURES), f"{case.figures['p50 ms'] / base:.2f}") for case in cases
    )
    return Table(name, ("case", *FIGURES, "p50 / score p50"), lines)


if __name__ == "__main__":
    main(sys.modules[__name__])
