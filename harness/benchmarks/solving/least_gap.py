"""How near the bound of prices any list can come, with many queues and few accounts for each.

The gap of an answer has two parts: what the solver missed, and what no list of whole accounts can reach. The second is small
where a queue works thousands of accounts and is not where it works some dozens: their handling times have to fill its last
seconds exactly, with accounts that are worth nearly as much elsewhere. A Lagrangian decomposition bounds it from below: each
account's loss against its best choice is split over the two queues that it touches, and each queue's part of the gap is
minimised on its own by an exact 0/1 program over its seconds. No search, however long, ends nearer to the bound of the prices.
"""

from __future__ import annotations

import sys

from harness.benchmarks.solving.solver_scale import SEEDS, TARGETS, checked_answer
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.decomposition import least_gap
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.solver_instances import portfolio_like

TARGET = next(target for target in TARGETS if target.name == "200k x 200")
LOADS = (0.05, 0.3)


def both_gaps(measure: Measure, accounts: int, queues: int, seed: int, load: float) -> None:
    """Solve an instance and find how near to its bound any list can come."""
    problem = portfolio_like(accounts, queues, seed, load)
    answer = checked_answer(measure, problem)
    with measure.stage("decomposition"):
        least = least_gap(problem, answer.prices, answer.bound_minor)
    measure.figures |= {"gap": answer.gap, "least gap": least, "worked": int((answer.queue >= 0).sum())}


def bench(options: Options) -> Report:
    """Solve every seed and bound what is left."""
    accounts = TARGET.accounts // (20 if options.small else 1)
    results = [
        run_case(f"{load:.0%}, seed {seed}", both_gaps, 1, accounts=accounts, queues=TARGET.queues, seed=seed, load=load)
        for load in LOADS
        for seed in (SEEDS[:1] if options.small else SEEDS)
    ]
    header = ("capacity", "accounts per queue", "gap found", "no list below", f"target {TARGET.gap:.0e}")
    lines = tuple((case.name, *_line(case, TARGET.queues)) for case in results)
    return Report([Table(f"Gap to the bound of the prices, {accounts:,} x {TARGET.queues}", header, lines)], results, [])


def _line(case: Result, queues: int) -> tuple[str, ...]:
    found, least = case.figures["gap"], case.figures["least gap"]
    reachable = "met" if found <= TARGET.gap else "out of reach" if least > TARGET.gap else "NOT met"
    return number(case.figures["worked"] / queues), f"{found:.2e}", f"{least:.2e}", reachable


if __name__ == "__main__":
    main(sys.modules[__name__])
