"""Time and memory of the pricing solver against the number of accounts.

One solve per size over 20 queues at a capacity of 30 %, on two threads, each in a fresh process with compiled kernels; memory is
what the process needs beyond the interpreter, values and times included.

![Seconds and memory against accounts, both on logarithmic axes](solver_linear.svg)
"""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np

from collections_opt.core.problem.assignment import SolveOptions
from collections_opt.solvers import solve_pricing
from harness.benchmarks.solving.solver_scale import ready_kernels
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import FOLDER, Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.solver_instances import portfolio_like

mpl.use("Agg")
from matplotlib import pyplot as plt

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
QUEUES = 20


def solve(measure: Measure, accounts: int) -> None:
    """Solve one size."""
    ready_kernels()
    with measure.stage("nothing"):
        pass
    idle = measure.stages.pop().peak_bytes
    problem = portfolio_like(accounts, QUEUES, 1, 0.3)
    with measure.stage("solve"):
        answer = solve_pricing(problem, SolveOptions())
    data = problem.value.nbytes + problem.seconds.nbytes
    measure.figures |= {
        "gap": answer.gap,
        "working bytes": measure.stages[-1].peak_bytes - idle,
        "data bytes": data,
    }


def bench(options: Options) -> Report:
    """Measure every size and draw the figure."""
    sizes = SIZES[:3] if options.small else SIZES
    cases = [run_case(f"{accounts:,}", solve, 1, accounts=accounts) for accounts in sizes]
    lines = tuple(
        (
            case.name,
            number(case.seconds),
            f"{case.seconds / accounts * 1e6:.2f}",
            f"{case.figures['working bytes'] / 1e6:,.0f}",
            f"{case.figures['data bytes'] / 1e6:,.0f}",
            f"{case.figures['gap']:.1e}",
        )
        for accounts, case in zip(sizes, cases, strict=True)
    )
    header = ("accounts", "seconds", "microseconds per account", "memory MB", "of it values and times MB", "gap")
    slopes = [_slope(sizes[-4:], [value(case) for case in cases[-4:]]) for value in (_seconds, _bytes)]
    remark = (
        f"From {sizes[-4] if len(sizes) > 3 else sizes[0]:,} accounts on, time grows with the accounts to the power "
        f"{slopes[0]:.2f}, memory to the power {slopes[1]:.2f}; 1 is linear."
    )
    if not options.small:
        _draw(sizes, cases)
    return Report([Table(f"Over {QUEUES} queues", header, lines)], cases, [remark])


def _seconds(case: Result) -> float:
    return case.seconds


def _bytes(case: Result) -> float:
    return float(case.figures["working bytes"])


def _slope(sizes: tuple[int, ...], values: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def _draw(sizes: tuple[int, ...], cases: list[Result]) -> None:
    plt.rcParams["svg.hashsalt"] = "solver_linear"
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axis, value, label in ((axes[0], _seconds, "seconds"), (axes[1], lambda c: _bytes(c) / 1e9, "memory, GB")):
        found = [value(case) for case in cases]
        axis.loglog(sizes, found, "o-", color="#1f5f8b", label="measured")
        axis.loglog(sizes, [found[-1] * n / sizes[-1] for n in sizes], "--", color="#999999", label="linear")
        axis.set_xlabel("accounts")
        axis.set_ylabel(label)
        axis.grid(visible=True, which="major", alpha=0.3)
        axis.legend(frameon=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / "solver_linear.svg", metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main(sys.modules[__name__])
