"""The orders to compare: expected value, and the raw orders on the same eligibility and the same capacity."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.assignment import (
    INELIGIBLE,
    PRICE_SCALE,
    UNASSIGNED,
    Assignment,
    AssignmentProblem,
    SolverIdentity,
    Termination,
)
from collections_opt.core.eligibility import bucket_of
from collections_opt.core.outcomes import CURE, DEFAULT, OutcomeProbabilities
from collections_opt.core.payoffs import Floats, Payoffs
from collections_opt.core.portfolio import Portfolio


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


def fill_in_order(key: Floats, problem: AssignmentProblem) -> NDArray[np.int16]:
    """Return who is worked when accounts come in order of ``key`` (highest first, ties by row), int16 (n,).

    Each account goes to the open queue in which its increment is largest: the routing is the most favourable one, so that
    orders differ only in whom they choose. A queue closes at the first account that does not fit. Raw orders do not know
    increments, so accounts that cost more than they earn are worked too. One pass per queue at most, no loop over accounts.
    """
    order = np.argsort(-key, kind="stable")
    value = problem.value[order]
    eligible = value != INELIGIBLE
    seconds = problem.seconds[order].astype(np.int64)
    left = problem.capacity_seconds.astype(np.int64).copy()
    is_open = np.ones(problem.queue_count, dtype=bool)
    queue = np.full(order.size, UNASSIGNED, dtype=np.int16)
    start = 0
    while start < order.size and is_open.any():
        choice, stop, full = _fill_until_full(value[start:], eligible[start:], seconds[start:], left, is_open)
        queue[start : start + stop] = choice[:stop]
        for index in np.flatnonzero(is_open):
            taken = choice[:stop] == index
            left[index] -= int(seconds[start : start + stop, index][taken].sum())
        if full >= 0:
            is_open[full] = False
        start += stop
    result = np.empty(order.size, dtype=np.int16)
    result[order] = queue
    return result


def _fill_until_full(
    value: NDArray[np.int32],
    eligible: NDArray[np.bool_],
    seconds: NDArray[np.int64],
    left: NDArray[np.int64],
    is_open: NDArray[np.bool_],
) -> tuple[NDArray[np.int16], int, int]:
    """Return the choices, how many of them hold, and the queue that the next account overfills (-1 for none)."""
    usable = eligible & is_open
    best = np.where(usable, value, INELIGIBLE).argmax(axis=1)
    choice = np.where(usable.any(axis=1), best, UNASSIGNED).astype(np.int16)
    stop, full = choice.size, -1
    for index in np.flatnonzero(is_open):
        used = np.cumsum(np.where(choice == index, seconds[:, index], 0))
        first = int(np.searchsorted(used, left[index], side="right"))
        if first < stop:
            stop, full = first, int(index)
    return choice, stop, full


def raw_assignment(ordering: Ordering, key: Floats, problem: AssignmentProblem, seed: int) -> Assignment:
    """Return a raw order's assignment; its bound is the Lagrangian bound at zero prices (every account in its best queue)."""
    queue = fill_in_order(key, problem)
    worked = np.flatnonzero(queue != UNASSIGNED)
    objective = int(problem.value[worked, queue[worked]].sum(dtype=np.int64))
    best = problem.value.max(axis=1, initial=0)
    parameters = (("ordering", ordering.value), ("seed", str(seed)))
    return Assignment(
        queue=queue,
        prices=np.zeros(problem.queue_count, dtype=np.int64),
        side_prices=np.zeros(0, dtype=np.int64),
        objective_minor=objective,
        bound_minor=int(np.maximum(best, 0).sum(dtype=np.int64)),
        termination=Termination.HEURISTIC,
        solver=SolverIdentity("raw-order", "1", parameters),
    )


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
