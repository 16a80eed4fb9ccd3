"""The whole path at 1,000,000 accounts and 20 queues.

From a portfolio file on disk to a recorded ranking: read, import, score, value, assign, record. In process, without the API (the
bench `api_100k` goes through it), over a folder with SQLite, with the shipped model, rules and solver. The accounts are the
bundled real ones past due, drawn with replacement with new ids and amounts scaled by a seeded factor; the queues vary the bundled
plan's and have minutes for about 30 % of the accounts.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import Workspace, open_workspace
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.datasets.files.portfolio_files import read_portfolio
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import MODELS, credit_card_mapping, plan_of_queues, write_portfolio_file
from harness.benchmarks.support.reporting import Report, by_stage, number, side_by_side
from harness.benchmarks.support.running import Options, main

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
TARGET_SECONDS, TARGET_BYTES = 60.0, 4_000_000_000
STAGES = {
    "score": "score",
    "value": "eligibility and value",
    "assign": "assign",
    "enter": "entries",
    "verify": "verify",
    "record": "record",
}
"""Stages that the ranking's own progress announces; a solver's steps in between belong to the stage they are in."""


def whole_path(measure: Measure, accounts: int, queues: int, seed: int, suffix: str) -> None:
    """Read, import, rank and record."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / f"accounts{suffix}"
        write_portfolio_file(file, accounts, seed)
        workspace = open_workspace(folder / "data", MODELS, lambda: NOW)
        plan = workspace.books.save_plan(plan_of_queues(queues, accounts, seed), None)
        with measure.stage("read file"):
            raw = read_portfolio(file, credit_card_mapping()).raw
        with measure.stage("import"):
            imported = workspace.books.import_portfolio("bench", raw)
        del raw
        before = _stored_bytes(folder / "data")
        rank_by_stage(measure, workspace, plan.plan_id, seed)
        measure.figures |= {
            "accepted": imported.accepted_count,
            "imported B / account": before / accounts,
            "recorded B / account": (_stored_bytes(folder / "data") - before) / accounts,
        }
        workspace.close()


def _stored_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def rank_by_stage(measure: Measure, workspace: Workspace, plan_id: str, seed: int) -> None:
    """Rank the portfolio ``bench``, each announced stage measured by itself."""
    request_id = str(uuid.UUID(int=seed, version=4))
    command = RankingCommand(request_id, "bench", plan_id, None, Ordering.EXPECTED_VALUE, bundled_parameters(), seed=seed)
    with ExitStack() as stack:
        current = "load portfolio"
        stack.enter_context(measure.stage(current))

        def follow(progress):
            nonlocal current
            name = STAGES.get(progress.stage, current)
            if name != current:
                stack.close()
                current = name
                stack.enter_context(measure.stage(current))

        record = workspace.rank(command, follow).record
    used, capacity = sum(record["queue_seconds"]), sum(record["capacity_seconds"])
    bound = record["bound_minor"]
    measure.figures |= {
        "assigned": record["counts"]["ASSIGNED"],
        "gap": f"{(bound - record['objective_minor']) / bound:.2e}",
        "minutes used": f"{used / capacity:.1%}",
    }


def bench(options: Options) -> Report:
    """Measure the path at growing sizes up to the target's."""
    sizes = (10_000, 20_000) if options.small else (100_000, 1_000_000)
    runs = {size: options.runs if size < 1_000_000 else min(options.runs, 2) for size in sizes}
    results = [run_case(_name(n), whole_path, runs[n], accounts=n, queues=20, seed=7, suffix=".parquet") for n in sizes]
    csv = run_case(_name(sizes[0]) + " from CSV", whole_path, 1, accounts=sizes[0], queues=20, seed=7, suffix=".csv")
    largest = results[-1]
    figures = ["assigned", "gap", "minutes used", "imported B / account", "recorded B / account"]
    tables = [by_stage(f"{largest.name}, by stage", largest), side_by_side("By size", [*results, csv], figures=figures)]
    return Report(tables, [*results, csv], _remarks(largest, results))


def _name(accounts: int) -> str:
    return f"{accounts:,} x 20"


def _remarks(largest: Result, results: list[Result]) -> list[str]:
    met = largest.seconds <= TARGET_SECONDS and largest.peak_bytes <= TARGET_BYTES
    slowest = max(largest.stages, key=lambda stage: stage.seconds)
    growth = largest.seconds / results[0].seconds
    return [
        f"Target: at most {TARGET_SECONDS:.0f} s and {TARGET_BYTES / 1e9:.0f} GB on 2 cores: {'met' if met else 'NOT met'}.",
        f"The largest part is {slowest.name} ({number(slowest.seconds)} s); assignment must not be it.",
        f"{largest.name} takes {growth:.1f} times as long as {results[0].name}.",
        "Bytes: what the data folder grew by, objects and database together, for the imported portfolio and for the ranking.",
    ]


if __name__ == "__main__":
    main(sys.modules[__name__])
