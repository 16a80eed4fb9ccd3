"""100,000 accounts over 10 queues through the API.

A real server in a process of its own, over a SQLite file and a folder of objects; the product's Python client streams the
accounts in packed columns, asks for a ranking, watches it until it is recorded, and reads it all back. The accounts are the
bundled real ones past due, drawn with replacement with new ids and amounts scaled by a seeded factor; the queues vary the bundled
plan's and have minutes for about 30 % of the accounts. Memory is the server's.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from pathlib import Path

from collections_opt.api.v1 import capacity_service_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.client.exports import export_entries
from collections_opt.client.portfolios import import_portfolio
from collections_opt.client.rankings import make_ranking, worklist
from collections_opt.wire.plans import write_plan
from harness.benchmarks.support.cases import run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import plan_of_queues, resampled_portfolio
from harness.benchmarks.support.reporting import Report, by_stage
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import served

TARGET_SECONDS, TARGET_BYTES = 60.0, 1_500_000_000
RECORDED = ("import", "rank and record")
"""The stages that the target is about."""


def through_the_api(measure: Measure, accounts: int, queues: int, seed: int) -> None:
    """Import, rank, record and read back."""
    with tempfile.TemporaryDirectory() as name:
        raw = resampled_portfolio(Path(name), accounts, seed)
        with served(Path(name) / "data") as server, server.client() as client:
            plan = capacity_service_pb2.CreateCapacityPlanRequest(
                capacity_plan=write_plan(plan_of_queues(queues, accounts, seed))
            )
            plan_id = client.capacity.CreateCapacityPlan(plan).capacity_plan.plan_id
            with measure.stage("import", server.process):
                import_portfolio(client, "bench", raw)
            request = ranking_service_pb2.CreateRankingRequest(
                request_id=str(uuid.UUID(int=seed, version=4)),
                portfolio_id="bench",
                capacity_plan_id=plan_id,
                ordering=ranking_pb2.ORDERING_EXPECTED_VALUE,
            )
            with measure.stage("rank and record", server.process):
                ranking = make_ranking(client, request)
            with measure.stage("read worklists", server.process):
                listed = sum(len(list(worklist(client, ranking.ranking_id, queue.queue_id))) for queue in ranking.queues)
            with measure.stage("export all entries", server.process):
                exported = export_entries(client, ranking).account_id.size
    if (listed, exported) != (ranking.counts.assigned_count, accounts):
        raise RuntimeError(f"{listed} worked and {exported} accounts came back")
    measure.figures |= {"worked": listed, "gap": f"{ranking.quality.gap:.2e}"}


def bench(options: Options) -> Report:
    """Measure once per run in fresh server and client processes."""
    accounts = 5_000 if options.small else 100_000
    result = run_case(f"{accounts:,} x 10", through_the_api, options.runs, accounts=accounts, queues=10, seed=7)
    parts = [stage for stage in result.stages if stage.name in RECORDED]
    seconds, peak = sum(stage.seconds for stage in parts), max(stage.peak_bytes for stage in parts)
    met = "met" if seconds < TARGET_SECONDS and peak < TARGET_BYTES else "NOT met"
    remarks = [
        f"Import, score, value, assign and record: {seconds:.1f} s and {peak / 1e9:.2f} GB in the server. Target: under "
        f"{TARGET_SECONDS:.0f} s and {TARGET_BYTES / 1e9:.1f} GB on 2 cores: {met}.",
        f"{result.figures['worked']:,.0f} accounts are worked, proven gap {result.figures['gap']}.",
        "The export is proven by the client: the digest of what arrived is the record's.",
    ]
    return Report([by_stage(result.name, result)], [result], remarks)


if __name__ == "__main__":
    main(sys.modules[__name__])
