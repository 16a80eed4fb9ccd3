"""Check an answer whose accounts lie in parts: the verifier's own integers, part by part, added up.

The list is checked on the accounts that it works; nothing else can break a limit. The bound is every part's surplus at the
prices, each by the verifier's code, and the limits once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE, Assignment, AssignmentProblem, SideConstraints
from collections_opt.solvers.verifier import Finding, FindingKind, divisor_of, surplus_at, verify


@dataclass(frozen=True)
class PartProof:
    """What a part adds to the proof.

    Attributes:
        surplus: what its accounts gain by their best choices at the prices, exact, in ``1 / PRICE_SCALE`` minor units.
        divisor: int64 (q,) greatest common divisor of the workable handling times of each queue, 0 where there are none.
    """

    surplus: int
    divisor: NDArray[np.int64]


def prove_part(part: AssignmentProblem, assignment: Assignment) -> PartProof:
    """Return what the accounts of a part add to the proof of an answer's prices."""
    return PartProof(surplus_at(part, assignment.prices, assignment.side_prices), divisor_of(part))


def verify_parts(worked: AssignmentProblem, assignment: Assignment, proofs: Sequence[PartProof]) -> tuple[Finding, ...]:
    """Return everything that is wrong with an answer, as ``verify``.

    Args:
        worked: at least all accounts that the answer works, under the limits of all, no person with several accounts.
        assignment: the answer; its ``queue`` is that of these accounts.
        proofs: of all parts.
    """
    found = verify(worked, assignment).findings
    if any(finding.kind in {FindingKind.NEGATIVE_PRICE, FindingKind.PRICE_OUT_OF_RANGE} for finding in found):
        return found
    divisors = [proof.divisor for proof in proofs]
    step = np.maximum(np.gcd.reduce(np.array(divisors), axis=0), 1) if divisors else np.ones_like(worked.capacity_seconds)
    capacity = worked.capacity_seconds // step * step
    total = sum(int(p) * int(c) for p, c in zip(assignment.prices, capacity, strict=True))
    total += sum(int(p) * int(b) for p, b in zip(assignment.side_prices, _limits(worked.side, assignment), strict=True))
    bound = (total + sum(proof.surplus for proof in proofs)) // PRICE_SCALE
    if not assignment.bound_by_search and assignment.bound_minor < bound:
        return (*found, Finding(FindingKind.BOUND_TOO_LOW, "bound", bound - assignment.bound_minor))
    return found


def _limits(side: SideConstraints | None, assignment: Assignment) -> NDArray[np.int64]:
    """Return the limits of the side rows, int64 (k,), relaxed by the shortages stated."""
    if side is None:
        return np.zeros(0, dtype=np.int64)
    missing = {shortage.name: shortage.missing for shortage in assignment.shortages}
    return side.limit + np.array([missing.get(name, 0) for name in side.names], dtype=np.int64)
