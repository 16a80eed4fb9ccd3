"""What-ifs: warm re-solves beside cold ones.

What another capacity costs to evaluate. First the re-solve alone: an instance is solved, one queue gets ten per cent more
minutes, and it is solved again cold, or warm from the prices at hand; both to the same proof, with what the price predicted
beside what the re-solve found. Then the whole evaluation over real accounts (the bundled ones, drawn with replacement):
valuing once, the first what-if, another one on the same accounts, and a few points of a capacity curve.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from collections_opt.application.answers.capacity_curves import DrawnCurve, draw_curves
from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import open_workspace
from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan
from collections_opt.core.problem.assignment import PRICE_SCALE, SolveOptions
from collections_opt.solvers import SOLVERS
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import MODELS, plan_of_queues, resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, by_stage, number
from harness.benchmarks.support.running import Options, main
from tests.support.solving.instances import realistic

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
MORE = 1.1
WARM_SECONDS = 0.5
FACTORS = (0.5, 0.9, 1.1, 1.5)


def re_solve(measure: Measure, accounts: int, queues: int, warm: bool) -> None:
    """Solve, give the dearest queue ten per cent more minutes, and solve again."""
    problem = realistic(accounts, queues, seed=7)
    before = SOLVERS["pricing"](problem, SolveOptions())
    dearest = int(before.prices.argmax())
    capacity = problem.capacity_seconds.copy()
    capacity[dearest] = int(capacity[dearest] * MORE)
    extra = int(capacity[dearest] - problem.capacity_seconds[dearest])
    changed = replace(problem, capacity_seconds=capacity)
    with measure.stage("re-solve"):
        after = SOLVERS["pricing"](changed, SolveOptions(warm_prices=before.prices if warm else None))
    measure.figures |= {
        "gap": f"{after.gap:.1e}",
        "predicted": float(before.prices[dearest]) * extra / PRICE_SCALE,
        "found": after.objective_minor - before.objective_minor,
    }


def evaluate(measure: Measure, accounts: int, queues: int) -> None:
    """Evaluate and draw over real accounts, in process."""
    with tempfile.TemporaryDirectory() as name:
        workspace = open_workspace(Path(name) / "data", MODELS, lambda: NOW)
        plan = workspace.books.save_plan(plan_of_queues(queues, accounts, seed=7), None)
        workspace.books.import_portfolio("bench", resampled_portfolio(Path(name), accounts, seed=7))
        with measure.stage("score, value, rank"):
            baseline = workspace.baselines.of_portfolio("bench", plan.plan_id, None, bundled_parameters())
        names = [queue.queue_id for queue in baseline.answer.plan.queues]
        for stage, queue_id in (("what-if", names[0]), ("another what-if", names[-1])):
            with measure.stage(stage):
                again = workspace.baselines.of_portfolio("bench", plan.plan_id, None, bundled_parameters())
                found = evaluate_capacity(again, changed_plan(again.answer.plan, [QueueChange(queue_id, capacity_factor=MORE)]))
        with measure.stage(f"{len(FACTORS)} points of the curve of all queues"):
            drawn = next(iter(draw_curves(baseline, FACTORS, names[:1])))
        assert isinstance(drawn, DrawnCurve)
        values = np.array([point.value_minor for point in drawn.curve.points])
        measure.figures |= {"change found": found.change_minor, "curve rises": str(bool((np.diff(values) >= 0).all()))}
        workspace.close()


def bench(options: Options) -> Report:
    """Measure re-solves by size, and the whole evaluation."""
    sizes = ((5_000, 5), (30_000, 5)) if options.small else ((10_000, 20), (100_000, 20), (1_000_000, 20))
    tables, results = [], []
    for accounts, queues in sizes:
        cases = [
            run_case(kind, re_solve, options.runs, accounts=accounts, queues=queues, warm=kind == "warm")
            for kind in ("cold", "warm")
        ]
        tables.append(_table(f"Re-solve, {accounts:,} x {queues}", cases))
        results += cases
    shapes = ((5_000, 10),) if options.small else ((10_000, 20), (100_000, 10))
    wholes = [run_case(f"{n:,} x {q}", evaluate, options.runs, accounts=n, queues=q) for n, q in shapes]
    tables += [by_stage(f"Evaluation over real accounts, {whole.name}", whole) for whole in wholes]
    warm = next(stage.seconds for stage in wholes[0].stages if stage.name == "another what-if")
    met = "met" if warm <= WARM_SECONDS else "NOT met"
    remarks = [
        "The predicted change is never below the found one by more than the gap: concavity.",
        f"Another what-if at {wholes[0].name}: {number(warm)} s; goal at most {WARM_SECONDS:g} s: {met}.",
    ]
    return Report(tables, [*results, *wholes], remarks)


def _table(title: str, cases: list[Result]) -> Table:
    cold = cases[0]
    lines = tuple(
        (
            case.name,
            number(case.seconds),
            f"{case.seconds / cold.seconds:.2f}",
            f"{case.peak_bytes / 1e6:,.0f}",
            str(case.figures["gap"]),
            number(case.figures["predicted"]),
            number(case.figures["found"]),
        )
        for case in cases
    )
    return Table(title, ("case", "seconds", "time / cold", "peak MB", "gap", "predicted +10 %", "found +10 %"), lines)


if __name__ == "__main__":
    main(sys.modules[__name__])
