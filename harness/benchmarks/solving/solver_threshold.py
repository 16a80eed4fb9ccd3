"""Where the whole linear program stops paying: the exact and the pricing solver on small instances.

Both are given the same instances until neither gets better; the default solver takes the exact one up to the size at which it is
no longer the better choice. Medians over three seeds, capacity for 30 % of the time that working everybody would take.
"""

from __future__ import annotations

import statistics
import sys

from collections_opt.core.problem.assignment import SolveOptions
from collections_opt.solvers import EXACT_ACCOUNTS, SOLVERS
from harness.benchmarks.solving.solver_scale import ready_kernels
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.solver_instances import portfolio_like

SIZES = (60, 150, 300, 1_000, 3_000, 10_000)
SEEDS = (1, 2, 3)


def solve(measure: Measure, solver: str, accounts: int, queues: int, seed: int) -> None:
    """Solve one instance."""
    problem = portfolio_like(accounts, queues, seed, 0.3)
    ready_kernels()
    with measure.stage("solve"):
        answer = SOLVERS[solver](problem, SolveOptions())
    measure.figures["gap"] = answer.gap


def bench(options: Options) -> Report:
    """Measure both solvers over sizes."""
    lines, results = [], []
    for queues in (5,) if options.small else (5, 20):
        for accounts in SIZES[:2] if options.small else SIZES:
            cases = {
                name: [
                    run_case(f"{name}, {accounts:,} x {queues}, seed {seed}", solve, 1, solver=name, accounts=accounts,
                             queues=queues, seed=seed)
                    for seed in SEEDS
                ]
                for name in ("exact", "pricing")
            }  # fmt: skip
            results += [case for found in cases.values() for case in found]
            seconds = {name: _median(found, "seconds") for name, found in cases.items()}
            gaps = {name: _median(found, "gap") for name, found in cases.items()}
            lines.append((
                f"{accounts:,} x {queues}",
                number(seconds["exact"]),
                number(seconds["pricing"]),
                f"{gaps['exact']:.1e}",
                f"{gaps['pricing']:.1e}",
            ))  # fmt: skip
    header = ("size", "exact: seconds", "pricing: seconds", "exact: gap", "pricing: gap")
    remark = f"The default solver takes the exact one up to {EXACT_ACCOUNTS:,} accounts."
    return Report([Table("Seconds and proven gap", header, tuple(lines))], results, [remark])


def _median(cases: list[Result], what: str) -> float:
    return statistics.median(case.seconds if what == "seconds" else case.figures[what] for case in cases)


if __name__ == "__main__":
    main(sys.modules[__name__])
