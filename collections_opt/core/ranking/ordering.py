"""The orders to compare: expected value, and the raw orders under the same eligibility, capacity and constraints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, UNASSIGNED, Assignment, AssignmentProblem
from collections_opt.core.problem.exploration import Exploration
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.core.value.outcomes import CURE, DEFAULT, OutcomeProbabilities
from collections_opt.core.value.payoffs import Floats, Payoffs


class Ordering(StrEnum):
    """Which order decides who is worked."""

    EXPECTED_VALUE = "EXPECTED_VALUE"
    """Optimised increment of contact over no contact."""
    P_CURE = "P_CURE"
    P_DEFAULT = "P_DEFAULT"
    P_DEFAULT_BALANCE = "P_DEFAULT_BALANCE"
    PD_LGD_EAD = "PD_LGD_EAD"
    BALANCE = "BALANCE"
    DAYS_PAST_DUE = "DAYS_PAST_DUE"
    RANDOM = "RANDOM"
    BALANCE_BUCKET = "BALANCE_BUCKET"
    """Balance times (1 + bucket): the policy order, which needs no model."""


@dataclass(frozen=True)
class RawOrder:
    """Accounts in an order that is sorted, not solved: its key, float64 (n,), highest first, and the seed behind RANDOM."""

    ordering: Ordering
    key: Floats
    seed: int


@dataclass(frozen=True)
class InOrder:
    """A raw order's key and answer, and int16 (n,) every account's queue; of those drawn, what they got had they not been."""

    key: Floats
    assignment: Assignment
    if_not_drawn: NDArray[np.int16]


class SolveInOrder(Protocol):
    """Fills the capacity that accounts drawn at random leave in a raw order; pure: the same input, the same bytes."""

    def __call__(self, order: RawOrder, problem: AssignmentProblem, exploration: Exploration | None = None) -> InOrder:
        """Return a feasible answer for the problem from before accounts were drawn."""
        ...


def raw_order_key(ordering: Ordering, portfolio: Portfolio, outcomes: OutcomeProbabilities, worth: Payoffs, seed: int) -> Floats:
    """Return the key of a raw order, float64 (n,), highest first.

    Raises:
        ValueError: for EXPECTED_VALUE, which is solved and not sorted.
    """
    probability = outcomes.probability
    balance = portfolio.column("balance_minor").astype(np.float64)
    keys: dict[Ordering, Floats] = {
        Ordering.P_CURE: probability[:, CURE],
        Ordering.P_DEFAULT: probability[:, DEFAULT],
        Ordering.P_DEFAULT_BALANCE: probability[:, DEFAULT] * balance,
        Ordering.PD_LGD_EAD: probability[:, DEFAULT] * worth.loss_given_default * worth.exposure_at_default,
        Ordering.BALANCE: balance,
        Ordering.BALANCE_BUCKET: balance * (1 + bucket_of(portfolio.column("days_past_due"))),
        Ordering.DAYS_PAST_DUE: portfolio.column("days_past_due").astype(np.float64),
    }
    if ordering is Ordering.RANDOM:
        return np.random.default_rng(seed).random(portfolio.account_count)
    if ordering not in keys:
        raise ValueError(f"{ordering} is solved, not sorted")
    return keys[ordering]


def surplus_minor(
    problem: AssignmentProblem,
    prices: NDArray[np.int64],
    rows: NDArray[np.int64] | slice,
    side_prices: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Return D_iq - lambda_q h_iq - sum_k nu_k A_k for rows, float64 (m, q) minor units; minus infinity where ineligible."""
    cost = problem.seconds[rows].astype(np.float64) * (prices.astype(np.float64) / PRICE_SCALE)
    if problem.side is not None and side_prices is not None and side_prices.size:
        charges = np.tensordot(side_prices.astype(np.float64) / PRICE_SCALE, problem.side.table, axes=1)
        cost += charges[problem.side.group[rows]]
    return np.where(problem.value[rows] == INELIGIBLE, -np.inf, problem.value[rows] - cost)


def priority_in_queue(queue: NDArray[np.int16], key: Floats) -> NDArray[np.int32]:
    """Return each worked account's place in its queue (1 first), by key (highest first), ties by row; 0 if not worked."""
    order = np.lexsort((np.arange(queue.size), -key, queue))
    ordered = queue[order]
    first = np.searchsorted(ordered, ordered, side="left")
    priority = np.empty(queue.size, dtype=np.int32)
    priority[order] = (np.arange(queue.size) - first + 1).astype(np.int32)
    priority[queue == UNASSIGNED] = 0
    return priority
