"""Recording a ranking of 1,000,000 accounts on SQLite and on PostgreSQL.

Only recording is measured: from the decided ranking to the committed record (seal the entries, build their tree, store the
objects, one transaction with header, worklists, log and event, signed checkpoint). The accounts are the bundled real ones past
due, drawn with replacement; 20 queues have minutes for about 30 % of them. PostgreSQL is a server of its own with its defaults,
on the same machine.

Bytes count everything that the ranking adds to database, objects and checkpoints: the sealed entries of all accounts with their
leaves, the worklist rows of those worked with their indexes, the record, its place in chain and log. The target judges these.
The imported portfolio is stored once, before, and shared by all its rankings; what it takes with the keys of its accounts stands
beside.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import Workspace, open_workspace
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.datasets.files.portfolio_files import read_portfolio
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import MODELS, credit_card_mapping, plan_of_queues, write_portfolio_file
from harness.benchmarks.support.reporting import Report, side_by_side
from harness.benchmarks.support.running import Options, main
from harness.faults.private_postgres import PrivatePostgres, why_not

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
TARGET_SECONDS, TARGET_BYTES = 10.0, 100.0
RECORDED = "bytes per account, ranking in all"


def recorded(measure: Measure, accounts: int, url: str) -> None:
    """Rank and measure from the decision to the committed record."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_portfolio_file(folder / "accounts.parquet", accounts, seed=7)
        workspace = open_workspace(folder / "data", MODELS, lambda: NOW, url)
        plan = workspace.books.save_plan(plan_of_queues(20, accounts, seed=7), None)
        empty = _stored(workspace, folder)
        workspace.books.import_portfolio("bench", read_portfolio(folder / "accounts.parquet", credit_card_mapping()).raw)
        imported = _stored(workspace, folder)
        request_id = str(uuid.UUID(int=7, version=4))
        command = RankingCommand(request_id, "bench", plan.plan_id, None, Ordering.BALANCE, bundled_parameters())
        recording = False
        with ExitStack() as stack:

            def follow(progress):
                nonlocal recording
                if progress.stage == "record" and not recording:  # told again while it lasts
                    recording = True
                    stack.enter_context(measure.stage("record"))

            record = workspace.rank(command, follow).record
        ranked = _stored(workspace, folder)
        measure.figures |= {
            "worked": record["counts"]["ASSIGNED"],
            RECORDED: (ranked - imported) / accounts,
            "bytes per account, portfolio": (imported - empty) / accounts,
        }
        workspace.close()


def _stored(workspace: Workspace, folder: Path) -> int:
    size = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file())
    if workspace.ledger.database.dialect == "postgresql":
        with workspace.ledger.database.read() as connection:
            size += connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()
    return size


def bench(options: Options) -> Report:
    """Measure both databases at growing sizes up to the target's."""
    sizes = (10_000, 20_000) if options.small else (100_000, 1_000_000)
    results, reason = [], why_not()
    for accounts in sizes:
        results.append(run_case(f"SQLite {accounts:,}", recorded, options.runs, accounts=accounts, url=""))
        if reason:
            continue
        with PrivatePostgres() as server:  # a database per run: each records into an empty one
            runs = [
                run_case(f"PostgreSQL {accounts:,}", recorded, 1, accounts=accounts, url=server.new_database())
                for _ in range(options.runs)
            ]
        results.append(sorted(runs, key=lambda run: run.seconds)[len(runs) // 2])
    figures = list(results[0].figures)
    return Report([side_by_side("Recording", results, figures=figures)], results, _remarks(results, sizes[-1], reason))


def _remarks(results: list[Result], largest: int, reason: str) -> list[str]:
    remarks = [f"PostgreSQL was not measured: {reason}."] if reason else []
    for result in (each for each in results if each.name.endswith(f" {largest:,}")):
        size = result.figures[RECORDED]
        met = ["NOT met", "met"]
        remarks.append(
            f"{result.name}: at most {TARGET_SECONDS:.0f} s {met[result.seconds <= TARGET_SECONDS]}, "
            f"at most {TARGET_BYTES:.0f} bytes per account for the ranking in all {met[size <= TARGET_BYTES]}."
        )
    return remarks


if __name__ == "__main__":
    main(sys.modules[__name__])
