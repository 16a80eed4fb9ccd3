"""Verify and replay the golden rankings: certified, and bit-identical over threads, row orders and hash seeds.

python -m harness.golden.replaying
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome, request_again, solver_of
from collections_opt.application.rankings.command import RankingCommand, options_of
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.records.provenance import same_environment
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.settings import load
from collections_opt.application.workspace import Workspace
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import Portfolio, RawPortfolio
from collections_opt.core.ranking.pipeline import rank
from collections_opt.solvers import solve_in_order
from harness.golden.recording import ARCHIVE, opened

THREADS = (1, 2)
HASH_SEEDS = ("0", "1", "4711")


@dataclass
class Figures:
    """What was seen of a number of golden rankings."""

    count: int = 0
    certified: int = 0
    identical: int = 0
    broken: tuple[str, ...] = ()
    environment: str = ""


def unpacked(folder: Path, path: Path = ARCHIVE) -> Workspace:
    """Open a copy of a golden ledger."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return opened(folder)


def replay_all(workspace: Workspace, every: int = 1, row_seeds: tuple[int, ...] = (1, 2)) -> Figures:
    """Verify and replay every n-th golden ranking over thread counts and row orders."""
    figures, broken = Figures(), []
    records = sorted(workspace.ledger.rankings.before(None, 1_000), key=lambda record: record.seq)
    figures.environment = same_environment(RankingFacts.from_record(records[0].record).kept.runtime)
    for record in records[::every]:
        figures.count += 1
        verdict = workspace.evidence.verification.verify_ranking(record.ranking_id)
        broken += [f"{record.seq}: {check.sentence}" for check in verdict.broken]
        figures.certified += verdict.reached is Strength.CERTIFICATE
        found = [workspace.evidence.replays.replay(record.ranking_id, threads=threads) for threads in THREADS]
        differing = [f"{record.seq}: {replay.detail}" for replay in found if replay.outcome is not ReplayOutcome.BIT_IDENTICAL]
        differing += [
            f"{record.seq}: another row order" for seed in row_seeds if not row_order_is_nothing(workspace, record, seed)
        ]
        figures.identical += not differing
        broken += differing
    figures.broken = tuple(broken)
    return figures


def row_order_is_nothing(workspace: Workspace, record, seed: int) -> bool:
    """Return whether the accounts sent in another order give the same entries."""
    opened = OpenedRanking(record, workspace.ledger, workspace.rankings._sealed)
    command = load(workspace.ledger.requests.requested(record.ranking_id).command, RankingCommand)
    shuffled = admit(as_sent(opened.portfolio, seed)).portfolio
    facts = opened.facts
    scorer = workspace.serving.recorded(facts.answer.model_version, facts.scored.digest)
    previous = opened.previous
    options = replace(options_of(command), warm_prices=previous.prices, warm_side_prices=previous.side_prices)
    request = request_again(opened, options)
    again = rank(
        shuffled,
        request,
        scorer.score,
        solver_of(facts, command),
        learned=opened.learned,
        solve_in_order=solve_in_order,
    )
    return (shuffled.digest, again.entries.digest) == (facts.inputs.input_digest, facts.answer.entries_digest)


def as_sent(portfolio: Portfolio, seed: int) -> RawPortfolio:
    """Return accepted accounts as a sender would send them, in another order."""
    order = np.random.default_rng(seed).permutation(portfolio.account_count)
    columns = {
        name: np.array([text.decode() for text in column[order].tolist()], dtype=object)
        if column.dtype.kind == "S"
        else column[order]
        for name, column in portfolio.columns.items()
    }
    present = {name: mask[order] for name, mask in portfolio.present.items()}
    return RawPortfolio(portfolio.as_of_date, portfolio.time_zone, portfolio.currency_code, columns, present)


def in_another_process(hash_seed: str, every: int) -> Figures:
    """Do the same under another hash seed."""
    command = [sys.executable, "-m", "harness.golden.replaying", "--every", str(every), "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert shown.returncode in (0, 1), shown.stderr
    return Figures(**json.loads(shown.stdout.splitlines()[-1]))


def main(arguments: list[str]) -> int:
    """Print one line of figures; exit code 1 when anything differs."""
    every = int(arguments[arguments.index("--every") + 1]) if "--every" in arguments else 1
    if "--json" in arguments:
        with tempfile.TemporaryDirectory() as name:
            workspace = unpacked(Path(name))
            figures = replay_all(workspace, every)
            workspace.close()
        print(json.dumps(vars(figures)))
        return int(bool(figures.broken))
    runs = {seed: in_another_process(seed, every) for seed in HASH_SEEDS}
    for seed, figures in runs.items():
        for line in figures.broken:
            print(f"hash seed {seed}, ranking {line}", file=sys.stderr)
    first = next(iter(runs.values()))
    certified, identical = min(f.certified for f in runs.values()), min(f.identical for f in runs.values())
    where = f"in another environment ({first.environment})" if first.environment else "in the recorded environment"
    print(
        f"replay: {certified} of {first.count} golden rankings certified, {identical} of {first.count} bit-identical over "
        f"{len(THREADS)} thread counts, 2 row orders and {len(runs)} hash seeds, {where}"
    )
    complete = certified == first.count and (identical == first.count or bool(first.environment))
    return int(not complete)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
