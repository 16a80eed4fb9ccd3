"""One contact per person at scale: time and proven gap beside the same accounts without it.

Accounts as in solver_scale, given to 0.8 times as many persons: everybody has one, the others go to anybody, so that most persons
have one account and some have several, whose queues, times and segments differ. Each case solves the same accounts without and
with at most one contact per person, in turn, in one process whose kernels are compiled; both are medians of the turns, of wall
time and of processor time, which other work on the machine disturbs less. Every answer is checked by the independent verifier,
which counts contacts per person by itself and proves the gap from the prices alone.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from dataclasses import replace

import numpy as np

from collections_opt.core.accounts.persons import grouped, numbered
from collections_opt.core.problem.assignment import AssignmentProblem, SolveOptions
from collections_opt.solvers import solve_pricing, verify
from harness.benchmarks.solving.solver_scale import KINDS, LOADS, SEEDS
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.solver_instances import portfolio_like, six_side_rows

SHARE = 0.8
TURNS = 3
MOST_TIMES, MOST_GAP = 1.5, 1e-6


def owned(problem: AssignmentProblem, seed: int) -> AssignmentProblem:
    """Give n accounts to 0.8 n persons: each has one, the rest go to anybody."""
    n, rng = problem.account_count, np.random.default_rng([seed, 8])
    persons = int(n * SHARE)
    names = rng.permutation(np.concatenate([np.arange(persons), rng.integers(0, persons, n - persons)]))
    return replace(problem, persons=grouped(numbered(names.astype("S9"))))


def side_by_side(measure: Measure, accounts: int, queues: int, kind: str, seed: int, load: float) -> None:
    """Solve the same accounts without and with one contact per person, in turn."""
    free = KINDS[kind](accounts, queues, seed, load)
    bound = owned(free, seed)
    small = six_side_rows(portfolio_like(12_000, 5, 1, 0.3)) if kind == "side rows" else portfolio_like(12_000, 5, 1, 0.3)
    for warm_up in (small, owned(small, 1)):
        solve_pricing(warm_up, SolveOptions())
    seen: dict[str, list[tuple[float, float]]] = {"without": [], "with": []}
    with measure.stage("solve"):
        for _ in range(TURNS):
            for name, problem in (("without", free), ("with", bound)):
                begin, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
                answer = solve_pricing(problem, SolveOptions())
                seen[name].append((time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_utime - used))
                measure.figures[f"gap {name}"] = answer.gap
                measure.figures[f"objective {name}"] = answer.objective_minor
    check = verify(bound, answer)
    if not check.ok:
        raise AssertionError(str(check.findings[0]))
    measure.figures["persons"] = bound.persons.count
    for name, turns in seen.items():
        measure.figures[f"seconds {name}"] = statistics.median(turn[0] for turn in turns)
        measure.figures[f"processor seconds {name}"] = statistics.median(turn[1] for turn in turns)


def bench(options: Options) -> Report:
    """Measure a million accounts of 800,000 persons in 20 queues."""
    accounts = 20_000 if options.small else 1_000_000
    lines, results = [], []
    for kind, seeds in (("plain", SEEDS), ("equal times", SEEDS[:1]), ("side rows", SEEDS[:1])):
        for load in LOADS:
            cases = [
                run_case(
                    f"{kind}, {load:.0%} capacity, seed {seed}",
                    side_by_side,
                    1,
                    accounts=accounts,
                    queues=20,
                    kind=kind,
                    seed=seed,
                    load=load,
                )
                for seed in seeds
            ]
            results += cases
            lines.append(_line(kind, load, cases))
    header = ("accounts", "capacity", "seconds without", "with", "times", "processor seconds without", "with", "times", "gap")
    remarks = [
        f"Targets for plain accounts: gap at most {MOST_GAP:.0e}, at most {MOST_TIMES} times the time without. Bold is missed.",
        "Seconds are medians over the seeds, the gap is the largest.",
    ]
    return Report([Table("1M accounts of 800,000 persons x 20 queues", header, tuple(lines))], results, remarks)


def _line(kind: str, load: float, cases: list[Result]) -> tuple[str, ...]:
    def middle(name: str) -> float:
        return statistics.median(case.figures[name] for case in cases)

    cells, judged = [], kind == "plain"
    for unit in ("seconds", "processor seconds"):
        without, beside = middle(f"{unit} without"), middle(f"{unit} with")
        times = f"{beside / without:.2f}"
        cells += [number(without), number(beside), f"**{times}**" if judged and beside > MOST_TIMES * without else times]
    gap = max(case.figures["gap with"] for case in cases)
    return kind, f"{load:.0%}", *cells, f"**{gap:.1e}**" if judged and gap > MOST_GAP else f"{gap:.1e}"


if __name__ == "__main__":
    main(sys.modules[__name__])
