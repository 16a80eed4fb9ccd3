"""A linear program from flat arrays through GLOP, without a Python object per column."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver.python import model_builder_helper
from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearSolution:
    """An optimal basic solution: float64 values per column, dual values per row, and the objective."""

    columns: Floats
    duals: Floats
    objective: float


def maximize(
    objective: Floats, upper: Floats, matrix: csr_matrix, limit: Floats, time_limit: timedelta | None = None
) -> LinearSolution | None:
    """Solve ``max c x, A x <= b, 0 <= x <= u`` with single-threaded GLOP; None when it does not report an optimum.

    Args:
        objective: (columns,) c.
        upper: (columns,) u, may be infinite.
        matrix: (rows, columns) A.
        limit: (rows,) b.
        time_limit: time after which there is no optimum; None for none.
    """
    model: Any = model_builder_helper.ModelBuilderHelper()  # its stubs misstate the array types
    lowest = np.full(len(limit), -np.inf)
    model.fill_model_from_sparse_data(np.zeros_like(upper), upper, objective, lowest, limit, matrix)
    model.set_maximize(True)
    solver = model_builder_helper.ModelSolverHelper("glop")
    limited = "" if time_limit is None else f" max_time_in_seconds: {time_limit.total_seconds()}"
    solver.set_solver_specific_parameters("use_preprocessing: false" + limited)
    solver.solve(model)
    if not solver.has_solution() or solver.status() != model_builder_helper.SolveStatus.OPTIMAL:
        return None
    return LinearSolution(np.array(solver.variable_values()), np.array(solver.dual_values()), solver.objective_value())
