"""Floor 1: assignment solvers behind one interface, each with a proven bound, and a verifier that trusts none of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from collections_opt.core.problem.assignment import (
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    Solve,
    SolveOptions,
    ignore_progress,
)
from collections_opt.solvers.exact import solve_exact
from collections_opt.solvers.greedy import solve_greedy
from collections_opt.solvers.pricing import (
    PriceIntervals,
    SpreadAssignment,
    SpreadProblem,
    price_intervals,
    solve_pricing,
    solve_spread,
)
from collections_opt.solvers.raw_order import fill_in_order, solve_in_order
from collections_opt.solvers.spread_verifier import PartProof, prove_part, verify_parts
from collections_opt.solvers.verifier import Finding, FindingKind, Verification, lagrangian_bound, verify

__all__ = [
    "EXACT_ACCOUNTS",
    "SOLVERS",
    "Finding",
    "FindingKind",
    "PartProof",
    "PriceIntervals",
    "SpreadAssignment",
    "SpreadProblem",
    "Verification",
    "fill_in_order",
    "lagrangian_bound",
    "price_intervals",
    "prove_part",
    "solve_default",
    "solve_exact",
    "solve_greedy",
    "solve_in_order",
    "solve_pricing",
    "solve_spread",
    "verify",
    "verify_parts",
]

EXACT_ACCOUNTS = 200
"""Largest instance that ``solve_default`` gives to the exact solver.

Up to here both solvers prove the optimum; above, pricing is as fast or faster and its gap as small or smaller
(docs/benchmarks/solver_threshold.md).
"""


def solve_default(problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> Assignment:
    """Solve with the method that suits the size: exact up to ``EXACT_ACCOUNTS`` accounts, pricing above.

    Raises:
        CollectionsError: VALUE_OVERFLOW when the sums could leave int64, INVALID_ARGUMENT for shapes that differ.
    """
    solve = solve_exact if problem.account_count <= EXACT_ACCOUNTS else solve_pricing
    return solve(problem, options, progress)


SOLVERS: Mapping[str, Solve] = MappingProxyType({
    "default": solve_default,
    "exact": solve_exact,
    "greedy": solve_greedy,
    "pricing": solve_pricing,
})  # fmt: skip
"""Every solver by name, all with the same interface."""
