"""Read the public generalized-assignment instances and map them to value with an outside option."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from collections_opt.core.problem.assignment import AssignmentProblem
from tests.support.solving.instances import problem_of

FOLDER = Path(__file__).parents[2] / "data" / "gap"


@dataclass(frozen=True)
class GapInstance:
    name: str
    problem: AssignmentProblem
    base: int
    optimum: int

    def cost_bound(self, value_bound: int) -> int:
        """Lower bound on cost that an upper bound on value proves; ``v = base - c``, every job assigned exactly once."""
        return self.problem.account_count * self.base - value_bound


def read(name: str, optimum: int) -> GapInstance:
    numbers = np.array((FOLDER / name).read_text().split(), dtype=np.int64)
    m, n = int(numbers[0]), int(numbers[1])
    cost, weight = numbers[2 : 2 + m * n].reshape(m, n), numbers[2 + m * n : 2 + 2 * m * n].reshape(m, n)
    base = 50 * int(cost.max())
    return GapInstance(name, problem_of((base - cost).T, weight.T, numbers[2 + 2 * m * n :]), base, optimum)


def instances() -> list[GapInstance]:
    with (FOLDER / "optima.csv").open() as lines:
        return [read(row["Path"], int(row["Optimum"])) for row in csv.DictReader(lines)]
