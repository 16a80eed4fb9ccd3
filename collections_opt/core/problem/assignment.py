"""The assignment problem, its answer, and the interface every solver implements.

    max sum v_iq x_iq   s.t.   sum_iq x_iq <= 1 per person,   sum_i t_iq x_iq <= C_q,   x_iq = 0 if ineligible or v_iq <= 0

A person is one account, or all accounts of one customer (``Persons``): each person is contacted once at most. Money is whole
minor units, time whole seconds, prices whole multiples of ``2**-20`` minor units per second, so that the bound

    UB(lambda) = sum_q lambda_q C_q + sum_k nu_k b_k
                 + sum_p max(0, max over p's accounts i and queues q of (v_iq - lambda_q t_iq - sum_k nu_k A_k[g_i, q]))

is exact integer arithmetic and valid for ANY prices >= 0 (Lagrangian weak duality): trusting it needs no solver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons

INELIGIBLE = int(np.iinfo(np.int32).min)
"""Value of a cell that must not be assigned."""

UNASSIGNED = -1
"""Queue of an account that nobody works."""

PRICE_SCALE = 1 << 20
"""Prices are integers in units of ``1 / PRICE_SCALE`` minor units per second."""


@dataclass(frozen=True)
class SideConstraints:
    """Rows ``sum_iq A_k[g_i, q] x_iq <= b_k`` beside the capacities; a floor is a negated row.

    Attributes:
        names: (k,) what each row says, for people ("at least 200 of segment US-NY").
        group: int32 (n,) group of each account, an index into the second axis of ``table``.
        table: int64 (k, g, q) coefficient of an account of a group in a queue.
        limit: int64 (k,) right-hand side.
    """

    names: tuple[str, ...]
    group: NDArray[np.int32]
    table: NDArray[np.int64]
    limit: NDArray[np.int64]


@dataclass(frozen=True)
class AssignmentProblem:
    """What to maximise and what limits it.

    Attributes:
        value: int32 (n, q) increment in minor units; ``INELIGIBLE`` where the cell is forbidden.
        seconds: uint16 (n, q) handling time; at least 1 in every eligible cell.
        capacity_seconds: int64 (q,) time each queue has.
        side: optional coupling rows beside the capacities.
        persons: of whom at most one account is worked; None if every account is its own person.
    """

    value: NDArray[np.int32]
    seconds: NDArray[np.uint16]
    capacity_seconds: NDArray[np.int64]
    side: SideConstraints | None = None
    persons: Persons | None = None

    @property
    def account_count(self) -> int:
        """Number of accounts n."""
        return int(self.value.shape[0])

    @property
    def queue_count(self) -> int:
        """Number of queues q."""
        return int(self.value.shape[1])


class Termination(StrEnum):
    """Why a solver stopped."""

    OPTIMAL = "OPTIMAL"
    """The objective equals the bound in whole minor units, or a complete search closed the gap."""
    GAP_REACHED = "GAP_REACHED"
    """The proven gap is at most the one asked for."""
    LIMIT = "LIMIT"
    """A deterministic work limit was reached; the answer is feasible and the bound valid."""
    DEADLINE = "DEADLINE"
    """The wall-clock guard fired: feasible and bounded, but not replayable."""
    HEURISTIC = "HEURISTIC"
    """The method makes no attempt to close the gap (greedy, raw orders)."""


@dataclass(frozen=True)
class SolverIdentity:
    """Which code produced an answer, with every parameter that influenced it."""

    name: str
    version: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Shortage:
    """A side constraint that is not met: how much is missing, and the price at which it was given up (0: merely not served).

    An answer with shortages respects the limits relaxed by exactly what is missing, and its bound is that of those limits.
    """

    name: str
    missing: int
    price_minor: int


@dataclass(frozen=True)
class Assignment:
    """A feasible integral answer with its proof of quality.

    Attributes:
        queue: int16 (n,) queue of each account, ``UNASSIGNED`` for none.
        prices: int64 (q,) shadow price of each queue's time, in ``1 / PRICE_SCALE`` minor units per second, >= 0.
        side_prices: int64 (k,) shadow price of each side row, in ``1 / PRICE_SCALE`` minor units per unit, >= 0.
        objective_minor: total value assigned, exact.
        bound_minor: upper bound on any assignment's value, from ``prices`` alone (or tighter, if ``bound_by_search``).
        termination: why the solver stopped.
        solver: which code answered.
        bound_by_search: True if the bound also rests on a complete search and not on the prices alone.
        shortages: side constraints that could not be met.
    """

    queue: NDArray[np.int16]
    prices: NDArray[np.int64]
    side_prices: NDArray[np.int64]
    objective_minor: int
    bound_minor: int
    termination: Termination
    solver: SolverIdentity
    bound_by_search: bool = False
    shortages: tuple[Shortage, ...] = ()

    @property
    def gap(self) -> float:
        """Relative optimality gap ``(UB - objective) / UB``; 0 when the bound is 0."""
        return (self.bound_minor - self.objective_minor) / self.bound_minor if self.bound_minor > 0 else 0.0

    @property
    def replayable(self) -> bool:
        """False when a wall-clock limit decided the answer."""
        return self.termination is not Termination.DEADLINE

    def price_per_minute(self) -> NDArray[np.float64]:
        """Shadow prices in minor units per minute, float64 (q,)."""
        return np.asarray(self.prices, dtype=np.float64) * 60.0 / PRICE_SCALE


@dataclass(frozen=True)
class SolveProgress:
    """Where a solve stands: stage for people, fraction in [0, 1], and the best gap proven so far."""

    stage: str
    fraction: float
    gap: float | None = None


ProgressCallback = Callable[[SolveProgress], None]


def ignore_progress(_: SolveProgress) -> None:
    """Discard a progress report."""


@dataclass(frozen=True)
class SolveOptions:
    """How hard to try. Everything but ``deadline_seconds`` and ``threads`` is deterministic and recorded.

    Attributes:
        gap_target: stop as soon as the proven relative gap is at most this.
        seed: seed of the sampling permutation.
        threads: worker threads of the exact passes; never changes a byte of the answer.
        deadline_seconds: wall-clock guard; None means none. If it decides the answer the termination says so.
        warm_prices: (q,) prices of a previous answer to start from, or None.
        warm_side_prices: (k,) side prices of a previous answer, or None for zeros.
        clock: what the guard counts by, in seconds; None leaves that to the solver.
        search: whether a branch and bound may close what rounding leaves; without it prices and bound are the same, sooner.
    """

    gap_target: float = 0.0
    seed: int = 20_050_801
    threads: int = 2
    deadline_seconds: float | None = None
    warm_prices: NDArray[np.int64] | None = field(default=None, compare=False)
    warm_side_prices: NDArray[np.int64] | None = field(default=None, compare=False)
    search: bool = True
    clock: Callable[[], float] | None = field(default=None, compare=False, repr=False)


class Solve(Protocol):
    """The one interface of every solver; pure: same problem and options, same bytes."""

    def __call__(
        self, problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress
    ) -> Assignment:
        """Return a feasible assignment with a valid bound.

        Raises:
            CollectionsError: VALUE_OVERFLOW when the sums could leave int64, INVALID_ARGUMENT for shapes that differ.
        """
        ...
