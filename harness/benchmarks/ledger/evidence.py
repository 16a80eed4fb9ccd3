"""Evidence at 1,000,000 accounts and 20 queues: what sealing, leaves, proofs, verification and erasure cost.

In process over a folder with SQLite, with the accounts and queues of the bench `whole_path_1m`. Recording is what happens after
the decision: sealing the entries, hashing their leaves and tree, storing the objects, one transaction, the signed checkpoint.
"""

from __future__ import annotations

import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import Workspace, open_workspace
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.ledger.records import RankingRecord
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import MODELS, credit_card_mapping, plan_of_queues, write_portfolio_file
from harness.benchmarks.support.reporting import Report, by_stage, side_by_side
from harness.benchmarks.support.running import Options, main

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
TARGET_SECONDS, TARGET_BYTES, ANSWERS = 10.0, 100.0, 50


def evidence(measure: Measure, accounts: int, queues: int, seed: int) -> None:
    """Import, rank, answer, verify, replay and erase."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_portfolio_file(folder / "accounts.parquet", accounts, seed)
        raw = read_portfolio(folder / "accounts.parquet", credit_card_mapping()).raw
        workspace = open_workspace(folder / "data", MODELS, lambda: NOW)
        plan = workspace.books.save_plan(plan_of_queues(queues, accounts, seed), None)
        with measure.stage("import, sealed"):
            workspace.books.import_portfolio("bench", raw)
        del raw
        before = _sizes(folder / "data")
        record = _rank(measure, workspace, plan.plan_id)
        after = _sizes(folder / "data")
        measure.figures |= {
            "ranking, bytes per account": (sum(after.values()) - sum(before.values())) / accounts,
            "of which objects": (after["objects"] - before["objects"]) / accounts,
            "of which database": (after["database"] - before["database"]) / accounts,
            "portfolio, bytes per account": before["objects"] / accounts,
            "keys, bytes per account": before["database"] / accounts,
        }
        _answers(measure, workspace, record)
        _checks(measure, workspace, record)
        workspace.close()


def _rank(measure: Measure, workspace: Workspace, plan_id: str) -> RankingRecord:
    command = RankingCommand(
        str(uuid.UUID(int=7, version=4)), "bench", plan_id, None, Ordering.EXPECTED_VALUE, bundled_parameters()
    )
    begun: list[float] = []

    def follow(progress):
        if progress.stage == "record" and not begun:
            begun.append(time.perf_counter())

    record = workspace.rank(command, follow)
    measure.figures["record, seconds"] = time.perf_counter() - begun[0]
    measure.figures["worked"] = record.record["counts"]["ASSIGNED"]
    return record


def _answers(measure: Measure, workspace: Workspace, record: RankingRecord) -> None:
    ids, key, seconds = workspace.recorded.entries(record).account_id, workspace.evidence.proofs.vkey, []
    workspace.evidence.answer(record.ranking_id, ids[0].decode())
    for row in np.linspace(0, ids.size - 1, ANSWERS).astype(int):
        start = time.perf_counter()
        answer = workspace.evidence.answer(record.ranking_id, ids[row].decode())
        seconds.append(time.perf_counter() - start)
        verify_evidence.check_proof(answer.proof.content, key)
    measure.figures["answer with proof, p95 ms"] = float(np.percentile(seconds, 95) * 1_000)


def _checks(measure: Measure, workspace: Workspace, record: RankingRecord) -> None:
    evidence_of = workspace.evidence
    with measure.stage("verify to the certificate"):
        assert evidence_of.verification.verify_ranking(record.ranking_id).reached is Strength.CERTIFICATE
    with measure.stage("replay"):
        outcome = evidence_of.replays.replay(record.ranking_id).outcome
    measure.figures["replay says"] = outcome.value
    with measure.stage("export archive"):
        content = evidence_of.archive(record)
    with measure.stage("check archive, pure Python"):
        assert verify_evidence.check_archive(content, evidence_of.proofs.vkey)
    entries = workspace.recorded.entries(record)
    idle = entries.account_id[entries.queue < 0][:10].astype(str).tolist()
    with measure.stage("erase 10 accounts"):
        evidence_of.erasures.erase(idle, ErasureRequest("bench"))


def _sizes(folder: Path) -> dict[str, int]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    objects = sum(path.stat().st_size for path in files if "objects" in path.parts)
    return {"objects": objects, "database": sum(path.stat().st_size for path in files) - objects}


def bench(options: Options) -> Report:
    """Measure at growing sizes up to the target's."""
    sizes = (5_000, 10_000) if options.small else (100_000, 1_000_000)
    results = [run_case(f"{n:,} x 20", evidence, 1, accounts=n, queues=20, seed=7) for n in sizes]
    largest = results[-1]
    names = [
        "worked",
        "record, seconds",
        "ranking, bytes per account",
        "of which objects",
        "of which database",
        "portfolio, bytes per account",
        "keys, bytes per account",
        "answer with proof, p95 ms",
        "replay says",
    ]
    tables = [by_stage(f"{largest.name}, by stage", largest), side_by_side("By size", results, figures=names)]
    return Report(tables, results, _remarks(largest))


def _remarks(largest: Result) -> list[str]:
    seconds, size = largest.figures["record, seconds"], largest.figures["ranking, bytes per account"]
    met = "met" if seconds <= TARGET_SECONDS and size <= TARGET_BYTES else "NOT met"
    return [
        f"Target: a ranking recorded in {TARGET_SECONDS:.0f} s with {TARGET_BYTES:.0f} bytes per account: {met}.",
        "A portfolio and the keys of its accounts are stored once, however often it is ranked; keys once for all portfolios.",
        "Sealed rows do not compress: their size is what the accounts hold, cell by cell, and 32 bytes of leaf hash.",
    ]


if __name__ == "__main__":
    main(sys.modules[__name__])
