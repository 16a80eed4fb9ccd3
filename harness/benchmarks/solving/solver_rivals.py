"""The pricing solver beside what one would take instead.

The same instances for everybody, one after the other in one run: the full linear program through PDLP (tolerance 1e-6), HiGHS's
interior-point method and GLOP, which give fractions and prices but no list; CP-SAT on the whole problem, which gives a list; and,
where each queue has one handling time so that the problem is a flow, SimpleMinCostFlow, which gives an optimal list. Building a
rival's model is not timed, only its solve; the pricing solver's time is from the arrays to the proven list. All have two
threads where they can use them. A rival that is not done within the limit is stopped.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
from ortools.graph.python import min_cost_flow
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt
from ortools.sat.python import cp_model

from collections_opt.core.problem.assignment import AssignmentProblem, SolveOptions
from collections_opt.solvers import solve_pricing, verify
from collections_opt.solvers.native_output import native_output_to_stderr
from collections_opt.solvers.verifier import usable_capacity
from harness.benchmarks.solving.solver_scale import KINDS, ready_kernels
from harness.benchmarks.support.cases import CaseError, Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main

LIMIT_SECONDS = 120.0
LOAD = 0.3

LINEAR = {
    "PDLP": (mathopt.SolverType.PDLP, None),
    "HiGHS interior point": (mathopt.SolverType.HIGHS, mathopt.LPAlgorithm.BARRIER),
    "GLOP": (mathopt.SolverType.GLOP, None),
}


def pricing(measure: Measure, accounts: int, queues: int, kind: str) -> None:
    """Solve with the product's solver."""
    problem = KINDS[kind](accounts, queues, 1, LOAD)
    ready_kernels()
    with measure.stage("solve"):
        answer = solve_pricing(problem, SolveOptions())
    if not verify(problem, answer).ok:
        raise AssertionError("the verifier refused the answer")
    measure.figures |= {"objective": answer.objective_minor, "bound": answer.bound_minor, "answer": f"list, gap {answer.gap:.1e}"}


def linear(measure: Measure, accounts: int, queues: int, kind: str, rival: str) -> None:
    """Solve the full linear program."""
    model = mathopt.Model.from_model_proto(linear_model(KINDS[kind](accounts, queues, 1, LOAD)))
    solver, algorithm = LINEAR[rival]
    parameters = mathopt.SolveParameters(time_limit=timedelta(seconds=LIMIT_SECONDS), lp_algorithm=algorithm, threads=2)
    if solver is mathopt.SolverType.HIGHS:
        parameters = replace(parameters, threads=None)
    if solver is mathopt.SolverType.PDLP:
        parameters.pdlp.termination_criteria.simple_optimality_criteria.eps_optimal_relative = 1e-6
        parameters.pdlp.termination_criteria.simple_optimality_criteria.eps_optimal_absolute = 1e-6
    with native_output_to_stderr(), measure.stage("solve"):
        result = mathopt.solve(model, solver, params=parameters)
    done = result.termination.reason is mathopt.TerminationReason.OPTIMAL
    measure.figures |= {
        "objective": float(result.objective_value()) if done else 0.0,
        "answer": "fractions" if done else f"stopped after {LIMIT_SECONDS:.0f} s",
    }


def constraint_programming(measure: Measure, accounts: int, queues: int, kind: str) -> None:
    """Solve the whole problem with CP-SAT."""
    problem = KINDS[kind](accounts, queues, 1, LOAD)
    rows, columns = np.nonzero(problem.value > 0)
    model = cp_model.CpModel()
    picks = [model.new_bool_var("") for _ in range(len(rows))]
    starts = np.searchsorted(rows, np.arange(accounts + 1)).tolist()
    for first, last in pairwise(starts):
        if last > first + 1:
            model.add_at_most_one(picks[first:last])
    for q in range(queues):
        inside = np.flatnonzero(columns == q)
        seconds = problem.seconds[rows[inside], q].tolist()
        model.add(cp_model.LinearExpr.weighted_sum([picks[j] for j in inside], seconds) <= int(problem.capacity_seconds[q]))
    model.maximize(cp_model.LinearExpr.weighted_sum(picks, problem.value[rows, columns].tolist()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.max_time_in_seconds = LIMIT_SECONDS
    with measure.stage("solve"):
        status = solver.solve(model)
    found = status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
    objective = solver.objective_value if found else 0.0
    gap = (solver.best_objective_bound - objective) / solver.best_objective_bound if found else 1.0
    stopped = "" if status == cp_model.OPTIMAL else f", stopped after {LIMIT_SECONDS:.0f} s"
    measure.figures |= {"objective": objective, "answer": (f"list, gap {gap:.1e}" if found else "no list") + stopped}


def flow(measure: Measure, accounts: int, queues: int, kind: str) -> None:
    """Solve an instance of equal times as a minimum-cost flow."""
    problem = KINDS[kind](accounts, queues, 1, LOAD)
    solver = flow_model(problem)
    with measure.stage("solve"):
        status = solver.solve()
    if status != solver.OPTIMAL:
        raise AssertionError(status)
    measure.figures |= {"objective": -solver.optimal_cost(), "answer": "optimal list"}


def flow_model(problem: AssignmentProblem) -> min_cost_flow.SimpleMinCostFlow:
    """Return the flow from a source over accounts and queues, or past them, to a sink; one handling time per queue."""
    n, m = problem.value.shape
    rows, queues = np.nonzero(problem.value > 0)
    slots, accounts = problem.capacity_seconds // problem.seconds[0], np.arange(n)
    tails = np.concatenate([np.zeros(n, np.int64), 1 + rows, 1 + n + np.arange(m), 1 + accounts])
    heads = np.concatenate([1 + accounts, 1 + n + queues, np.full(m, 1 + n + m), np.full(n, 1 + n + m)])
    capacity = np.concatenate([np.ones(n + len(rows), np.int64), slots, np.ones(n, np.int64)])
    cost = np.concatenate([np.zeros(n, np.int64), -problem.value[rows, queues].astype(np.int64), np.zeros(m + n, np.int64)])
    solver = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(tails, heads, capacity, cost)
    solver.set_node_supply(0, n)
    solver.set_node_supply(1 + n + m, -n)
    return solver


def linear_model(problem: AssignmentProblem) -> model_pb2.ModelProto:
    """Return the full linear program, capacities rounded down as the pricing solver does it."""
    rows, queues = np.nonzero(problem.value > 0)
    n, m = problem.value.shape
    cells = np.arange(len(rows))
    model = model_pb2.ModelProto()
    model.variables.ids.extend(cells)
    model.variables.lower_bounds.extend(np.zeros(len(rows)))
    model.variables.upper_bounds.extend(np.full(len(rows), np.inf))
    model.variables.integers.extend(np.zeros(len(rows), dtype=bool))
    model.objective.maximize = True
    model.objective.linear_coefficients.ids.extend(cells)
    model.objective.linear_coefficients.values.extend(problem.value[rows, queues].astype(np.float64))
    limits = np.concatenate([usable_capacity(problem), np.ones(n)]).astype(np.float64)
    model.linear_constraints.ids.extend(np.arange(m + n))
    model.linear_constraints.lower_bounds.extend(np.full(m + n, -np.inf))
    model.linear_constraints.upper_bounds.extend(limits)
    row_ids, column_ids = np.concatenate([queues, m + rows]), np.tile(cells, 2)
    coefficients = np.concatenate([problem.seconds[rows, queues], np.ones(len(rows))]).astype(np.float64)
    order = np.lexsort((column_ids, row_ids))
    model.linear_constraint_matrix.row_ids.extend(row_ids[order])
    model.linear_constraint_matrix.column_ids.extend(column_ids[order])
    model.linear_constraint_matrix.coefficients.extend(coefficients[order])
    return model


def bench(options: Options) -> Report:
    """Measure the rivals at the sizes that they can finish, and where they no longer can."""
    tables, results, remarks = [], [], []
    small, large = (2_000, 10_000) if options.small else (10_000, 100_000)
    for accounts in (small, large):
        cases = [run_case("pricing", pricing, options.runs, accounts=accounts, queues=20, kind="plain")]
        cases += [run_case(rival, linear, 1, 900.0, accounts=accounts, queues=20, kind="plain", rival=rival) for rival in LINEAR]
        cases.append(run_case("CP-SAT", constraint_programming, 1, 900.0, accounts=accounts, queues=20, kind="plain"))
        tables.append(_table(f"{accounts:,} x 20", cases))
        results += cases
    remarks.append(_ratio_remark("At 100,000 x 20", results[-5:], ("PDLP", "HiGHS interior point"), 100))
    accounts = 20_000 if options.small else 1_000_000
    cases = [run_case("pricing", pricing, options.runs, accounts=accounts, queues=20, kind="equal times")]
    try:
        cases.append(run_case("SimpleMinCostFlow", flow, 1, 900.0, accounts=accounts, queues=20, kind="equal times"))
    except CaseError as error:
        remarks.append(f"SimpleMinCostFlow did not finish: {error}")
    else:
        away = abs(cases[0].figures["objective"] - cases[1].figures["objective"]) / 100
        remarks.append(_ratio_remark("At equal times", cases, ("SimpleMinCostFlow",), 15))
        remarks.append(f"Both lists of equal times are worth the same to {away:.2f} units of money (target 1).")
    tables.append(_table(f"{accounts:,} x 20, one handling time per queue", cases))
    return Report(tables, results + cases, remarks)


def _ratio_remark(where: str, cases: list[Result], rivals: tuple[str, ...], target: int) -> str:
    found = {case.name: case.seconds / cases[0].seconds for case in cases}
    told = ", ".join(f"{found[rival]:,.0f} times {rival}" for rival in rivals)
    met = all(found[rival] >= target for rival in rivals)
    return f"{where} it is faster than the others by {told}. Target: {target} times each: {'met' if met else 'missed'}."


def _table(title: str, cases: list[Result]) -> Table:
    bound = cases[0].figures["bound"]
    lines = tuple(
        (
            case.name,
            number(case.seconds),
            f"{case.seconds / cases[0].seconds:,.1f}",
            f"{case.peak_bytes / 1e6:,.0f}",
            f"{(bound - case.figures['objective']) / bound:.1e}" if case.figures["objective"] else "",
            case.figures["answer"],
        )
        for case in cases
    )
    return Table(title, ("solver", "seconds", "time / pricing", "peak MB", "below the proven bound", "answer"), lines)


if __name__ == "__main__":
    main(sys.modules[__name__])
