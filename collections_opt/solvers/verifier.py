"""Check an assignment against its problem, trusting no solver: exact integers, numpy only.

The lower bound is the recomputed objective of a list that respects every row; the upper bound needs the prices and nothing
else (Lagrangian weak duality holds for any prices >= 0). A solver's defect can therefore only widen the gap, never falsify it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED, Assignment, AssignmentProblem

MAX_PRICE = 1 << 44
"""Largest price whose product with any handling time stays far inside int64 (2**24 minor units per second)."""

_SCALE_BITS = PRICE_SCALE.bit_length() - 1
_CHUNK_CELLS = 1 << 18


class FindingKind(StrEnum):
    """What can be wrong with an answer."""

    WRONG_SHAPE = "WRONG_SHAPE"
    UNKNOWN_QUEUE = "UNKNOWN_QUEUE"
    INELIGIBLE_CELL = "INELIGIBLE_CELL"
    WORTHLESS_CELL = "WORTHLESS_CELL"
    OVER_CAPACITY = "OVER_CAPACITY"
    PERSON_WORKED_TWICE = "PERSON_WORKED_TWICE"
    SIDE_ROW_BROKEN = "SIDE_ROW_BROKEN"
    WRONG_SHORTAGE = "WRONG_SHORTAGE"
    WRONG_OBJECTIVE = "WRONG_OBJECTIVE"
    BOUND_TOO_LOW = "BOUND_TOO_LOW"
    NEGATIVE_PRICE = "NEGATIVE_PRICE"
    PRICE_OUT_OF_RANGE = "PRICE_OUT_OF_RANGE"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its kind, where ("queue 3", "row 17"), and by how much in that kind's own unit."""

    kind: FindingKind
    where: str
    amount: int

    def __str__(self) -> str:
        """Return the finding as one line for people."""
        return f"{self.kind}: {self.where}, by {self.amount}"


@dataclass(frozen=True)
class Verification:
    """What an independent reading of the answer found.

    Attributes:
        findings: everything that is wrong; empty for a sound answer.
        objective_minor: the recomputed total value.
        bound_minor: the upper bound that follows from the prices alone; None if the prices prove nothing.
        used_seconds: int64 (q,) handling time assigned to each queue.
    """

    findings: tuple[Finding, ...]
    objective_minor: int
    bound_minor: int | None
    used_seconds: NDArray[np.int64]

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return not self.findings

    @property
    def gap(self) -> float | None:
        """Relative gap ``(UB - objective) / UB`` proven by the prices alone; None if the prices prove nothing."""
        if self.bound_minor is None:
            return None
        return (self.bound_minor - self.objective_minor) / self.bound_minor if self.bound_minor > 0 else 0.0


def verify(problem: AssignmentProblem, assignment: Assignment, worthless_may_be_worked: bool = False) -> Verification:
    """Recompute eligibility, capacities, persons, side rows, objective, bound and gap of an answer.

    A side row with a reported shortage is checked against its limit plus the shortage, which must be exactly what is
    missing; the bound is then that of the problem with those relaxed limits. An answer whose bound also rests on a search
    may state a bound below the one of its prices, but never one below its objective.

    ``worthless_may_be_worked`` is for raw orders, which do not know what an account earns: all else is checked alike.
    """
    shapes = _shape_findings(problem, assignment)
    if shapes:
        return Verification(shapes, 0, None, np.zeros(problem.queue_count, dtype=np.int64))
    findings: list[Finding] = []
    queue = np.asarray(assignment.queue, dtype=np.int64)
    known = (queue >= UNASSIGNED) & (queue < problem.queue_count)
    if not known.all():
        findings.append(Finding(FindingKind.UNKNOWN_QUEUE, f"row {int(np.argmin(known))}", int((~known).sum())))
        queue = np.where(known, queue, UNASSIGNED)
    objective, used = _totals(problem, queue, findings, worthless_may_be_worked)
    findings += _capacity_findings(problem, used)
    findings += _person_findings(problem, queue)
    limits = _relaxed_limits(problem, assignment, queue, findings)
    if objective != assignment.objective_minor:
        findings.append(Finding(FindingKind.WRONG_OBJECTIVE, "objective", assignment.objective_minor - objective))
    bound = _bound(problem, assignment, limits, findings)
    floor = objective if assignment.bound_by_search or bound is None else bound
    if assignment.bound_minor < floor:
        findings.append(Finding(FindingKind.BOUND_TOO_LOW, "bound", floor - assignment.bound_minor))
    return Verification(tuple(findings), objective, bound, used)


def lagrangian_bound(
    problem: AssignmentProblem,
    prices: NDArray[np.int64],
    side_prices: NDArray[np.int64] | None = None,
    limits: NDArray[np.int64] | None = None,
) -> int:
    """Return ``floor(UB(lambda, nu))`` in minor units, exact; values are whole, so the floor is still a bound.

    Capacities count only as far as whole handling times can fill them, see :func:`usable_capacity`.

    Args:
        problem: the instance.
        prices: int64 (q,) prices in ``1 / PRICE_SCALE`` minor units per second, in [0, MAX_PRICE].
        side_prices: int64 (k,) prices of the side rows, or None for zeros.
        limits: int64 (k,) right-hand sides to use instead of the problem's own (relaxed by shortages).

    Raises:
        CollectionsError: INVALID_ARGUMENT when a price is negative or too large for the arithmetic to stay exact.
    """
    side = problem.side
    nu = np.zeros(len(side.names) if side else 0, dtype=np.int64) if side_prices is None else side_prices
    wrong = _price_findings(problem, prices, nu)
    if wrong:
        raise refuse(Reason.INVALID_ARGUMENT, "prices", str(wrong[0]), "Use prices between 0 and MAX_PRICE.")
    total = sum(int(p) * int(c) for p, c in zip(prices, usable_capacity(problem), strict=True))
    if side is not None and nu.any():
        total += sum(int(p) * int(b) for p, b in zip(nu, side.limit if limits is None else limits, strict=True))
    return (total + surplus_at(problem, prices, nu)) >> _SCALE_BITS


def surplus_at(problem: AssignmentProblem, prices: NDArray[np.int64], side_prices: NDArray[np.int64]) -> int:
    """Return what all persons gain by their best choices at prices, exact, in ``1 / PRICE_SCALE`` minor units.

    It adds up over parts of the accounts, unless a person has accounts in two of them.
    """
    side, total = problem.side, 0
    charge = None if side is None or not side_prices.any() else np.tensordot(side_prices, side.table, axes=1)
    best = None if problem.persons is None else np.zeros(problem.account_count, dtype=np.int64)
    for rows in _chunks(problem):
        value = problem.value[rows].astype(np.int64)
        reduced = (value << _SCALE_BITS) - prices * problem.seconds[rows].astype(np.int64)
        if charge is not None and side is not None:
            reduced -= charge[side.group[rows]]
        surplus = np.where(value > 0, reduced, 0).max(axis=1, initial=0)
        if best is None:
            total += _exact_sum(surplus)
        else:
            best[rows] = surplus
    if best is not None and problem.persons is not None:
        most = np.zeros(problem.account_count, dtype=np.int64)
        np.maximum.at(most, problem.persons.of, best)
        total += sum(_exact_sum(most[start : start + _CHUNK_CELLS]) for start in range(0, most.size, _CHUNK_CELLS))
    return total


def _exact_sum(surplus: NDArray[np.int64]) -> int:
    """Return a sum of scaled values that could leave int64."""
    return (int((surplus >> _SCALE_BITS).sum()) << _SCALE_BITS) + int((surplus & (PRICE_SCALE - 1)).sum())


def usable_capacity(problem: AssignmentProblem) -> NDArray[np.int64]:
    """Return int64 (q,) capacities rounded down to the greatest common divisor of the queue's workable handling times.

    A queue's load is a multiple of that divisor, so nothing that can be assigned is lost.
    """
    step = np.maximum(divisor_of(problem), 1)
    return np.asarray(problem.capacity_seconds // step * step, dtype=np.int64)


def divisor_of(problem: AssignmentProblem) -> NDArray[np.int64]:
    """Return the greatest common divisor of each queue's workable handling times, int64 (q,); 0 where there are none."""
    divisor = np.zeros(problem.queue_count, dtype=np.int64)
    for rows in _chunks(problem):
        open_queues = np.flatnonzero(divisor != 1)
        if not open_queues.size:
            break
        seconds = np.where(problem.value[rows][:, open_queues] > 0, problem.seconds[rows][:, open_queues], 0)
        found = np.gcd.reduce(seconds.astype(np.int64), axis=0)
        divisor[open_queues] = np.gcd(divisor[open_queues], found)
    return divisor


def _chunks(problem: AssignmentProblem) -> Iterator[slice]:
    step = max(1, _CHUNK_CELLS // max(1, problem.queue_count))
    return (slice(start, start + step) for start in range(0, problem.account_count, step))


def _shape_findings(problem: AssignmentProblem, assignment: Assignment) -> tuple[Finding, ...]:
    rows = len(problem.side.names) if problem.side else 0
    parts: tuple[tuple[str, NDArray[np.signedinteger], int], ...] = (
        ("queue", assignment.queue, problem.account_count),
        ("prices", assignment.prices, problem.queue_count),
        ("side_prices", assignment.side_prices, rows),
        *([] if problem.persons is None else [("persons", problem.persons.of, problem.account_count)]),
    )
    return tuple(
        Finding(FindingKind.WRONG_SHAPE, name, int(array.size) - size)
        for name, array, size in parts
        if array.shape != (size,) or array.dtype.kind != "i"
    )


def _totals(
    problem: AssignmentProblem, queue: NDArray[np.int64], findings: list[Finding], worthless_may_be_worked: bool
) -> tuple[int, NDArray[np.int64]]:
    """Sum value and time of the assigned cells; cells that must not be assigned become findings."""
    objective, used = 0, np.zeros(problem.queue_count, dtype=np.int64)
    ineligible, worthless = [], []
    lowest = np.iinfo(np.int32).min
    for rows in _chunks(problem):
        local = np.flatnonzero(queue[rows] != UNASSIGNED)
        chosen = queue[rows][local]
        value = problem.value[rows][local, chosen].astype(np.int64)
        seconds = problem.seconds[rows][local, chosen].astype(np.int64)
        np.add.at(used, chosen, seconds)
        ineligible += (local[value == lowest] + rows.start).tolist()
        worthless += (local[(value <= 0) & (value != lowest)] + rows.start).tolist()
        objective += int(value[value != lowest].sum())
    if ineligible:
        findings.append(Finding(FindingKind.INELIGIBLE_CELL, f"row {ineligible[0]}", len(ineligible)))
    if worthless and not worthless_may_be_worked:
        findings.append(Finding(FindingKind.WORTHLESS_CELL, f"row {worthless[0]}", len(worthless)))
    return objective, used


def _capacity_findings(problem: AssignmentProblem, used: NDArray[np.int64]) -> list[Finding]:
    over = used - problem.capacity_seconds
    return [Finding(FindingKind.OVER_CAPACITY, f"queue {q}", int(over[q])) for q in np.flatnonzero(over > 0)]


def _person_findings(problem: AssignmentProblem, queue: NDArray[np.int64]) -> list[Finding]:
    if problem.persons is None:
        return []
    contacts = np.bincount(problem.persons.of[queue != UNASSIGNED], minlength=1)
    twice = np.flatnonzero(contacts > 1)
    if not twice.size:
        return []
    row = int(np.flatnonzero((problem.persons.of == twice[0]) & (queue != UNASSIGNED))[1])
    return [Finding(FindingKind.PERSON_WORKED_TWICE, f"row {row}", int((contacts[twice] - 1).sum()))]


def _relaxed_limits(
    problem: AssignmentProblem, assignment: Assignment, queue: NDArray[np.int64], findings: list[Finding]
) -> NDArray[np.int64]:
    """Return the side limits plus reported shortages; a broken row or a shortage that is not the violation is a finding."""
    side = problem.side
    stated = {shortage.name: shortage.missing for shortage in assignment.shortages}
    if side is None:
        findings += [Finding(FindingKind.WRONG_SHORTAGE, name, missing) for name, missing in stated.items()]
        return np.zeros(0, dtype=np.int64)
    findings += [Finding(FindingKind.WRONG_SHORTAGE, name, missing) for name, missing in stated.items() if name not in side.names]
    worked = queue != UNASSIGNED
    counts = np.zeros(side.table.shape[1:], dtype=np.int64)
    np.add.at(counts, (side.group[worked], queue[worked]), 1)
    limits = np.array(side.limit, dtype=np.int64)
    for k, name in enumerate(side.names):
        over = int((side.table[k] * counts).sum()) - int(side.limit[k])
        missing = stated.get(name, 0)
        limits[k] += missing
        if name in stated and missing != over:
            findings.append(Finding(FindingKind.WRONG_SHORTAGE, name, missing - over))
        elif over > missing:
            findings.append(Finding(FindingKind.SIDE_ROW_BROKEN, name, over - missing))
    return limits


def _price_findings(problem: AssignmentProblem, prices: NDArray[np.int64], side_prices: NDArray[np.int64]) -> list[Finding]:
    findings = []
    for label, array in (("queue", prices), ("side row", side_prices)):
        findings += [Finding(FindingKind.NEGATIVE_PRICE, f"{label} {i}", -int(array[i])) for i in np.flatnonzero(array < 0)]
    findings += [
        Finding(FindingKind.PRICE_OUT_OF_RANGE, f"queue {q}", int(prices[q]) - MAX_PRICE)
        for q in np.flatnonzero(prices > MAX_PRICE)
    ]
    if problem.side is not None:
        reach = [int(p) * int(np.abs(row).max(initial=0)) for p, row in zip(side_prices, problem.side.table, strict=True)]
        if sum(map(abs, reach)) > 1 << 60:
            findings.append(Finding(FindingKind.PRICE_OUT_OF_RANGE, "side rows", sum(map(abs, reach)) - (1 << 60)))
    return findings


def _bound(problem: AssignmentProblem, assignment: Assignment, limits: NDArray[np.int64], findings: list[Finding]) -> int | None:
    wrong = _price_findings(problem, assignment.prices, assignment.side_prices)
    findings += wrong
    return None if wrong else lagrangian_bound(problem, assignment.prices, assignment.side_prices, limits)
