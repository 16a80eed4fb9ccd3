"""A reserve of each queue's minutes for accounts drawn at random, with the probability of every decision recorded.

Every eligible account is drawn for queue q independently with a probability e_q chosen so that the expected handling time of
the drawn ones is the reserve; an account is drawn for one queue at most. The others are optimised on the minutes left. The
probability with which the whole policy takes an account's action a is then

    e_a [eligible for a] + (1 - sum of e over its eligible queues) [a is what it gets when it is not drawn],

which is what inverse-propensity estimates of any other policy need (Horvitz and Thompson 1952; Li et al. 2011). What a drawn
account would have got otherwise is read from the prices, or from its turn in a raw order; that other accounts' draws move the
prices, or the turns, a little is neglected.

Where a person has k accounts (``Persons``), the person is drawn and not the account: for each of his eligible cells with the
probability e_q / k, for one of them at most, and with him all of his accounts leave the problem. An account that is not worked
may then be so because another one of its person was drawn, and its probability counts that too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, AssignmentProblem, SideConstraints

PROPENSITY_SCALE = 1_000_000_000
"""Propensities are recorded in 1e-9."""

_MOST_DRAWN = PROPENSITY_SCALE // 2
_ATTEMPTS = 100
_STREAM = 0x6578706C
_BLOCK_ROWS = 1 << 17


@dataclass(frozen=True)
class Exploration:
    """Which accounts were drawn for which queue.

    Attributes:
        queue: int16 (n,) queue an account was drawn for, ``UNASSIGNED`` for none.
        rate_nano: int64 (q,) probability e_q in 1e-9 with which an account eligible for the queue is drawn for it; divided by
            the number of the person's accounts, rounded down.
        used_seconds: int64 (q,) handling time of the drawn accounts.
    """

    queue: NDArray[np.int16]
    rate_nano: NDArray[np.int64]
    used_seconds: NDArray[np.int64]

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """True for accounts that were drawn, bool (n,)."""
        return np.asarray(self.queue != UNASSIGNED, dtype=bool)

    def of_drawn_persons(self, persons: Persons | None) -> NDArray[np.bool_]:
        """Return where an account or another one of its person was drawn, bool (n,)."""
        return self.drawn if persons is None else persons.any_of(self.drawn)


def draw(problem: AssignmentProblem, share: float, seed: int) -> Exploration:
    """Draw accounts for exploration.

    Eligible cells count whatever their increment: what the model thinks worthless is what it must learn about. Should the
    draws exceed a queue's whole capacity, they are made again from the next stream.

    Args:
        problem: values with ``INELIGIBLE`` cells, times and capacities.
        share: expected share of each queue's capacity.
        seed: of the draws.
    """
    rate = _rates(problem, share)
    for attempt in range(_ATTEMPTS):
        queue = _drawn(problem, rate, np.random.default_rng([seed, _STREAM, attempt]))
        used = _used(problem, queue)
        if (used <= problem.capacity_seconds).all():
            return Exploration(queue, rate, used)
    nobody = np.full(problem.account_count, UNASSIGNED, dtype=np.int16)
    return Exploration(nobody, np.zeros_like(rate), np.zeros_like(rate))


def withdraw(problem: AssignmentProblem, exploration: Exploration) -> AssignmentProblem:
    """Return the problem that is left: drawn accounts may go nowhere, their time and their part of the side rows are taken."""
    value = problem.value.copy()
    value[np.flatnonzero(exploration.of_drawn_persons(problem.persons))] = INELIGIBLE
    capacity, side = limits_left(problem, exploration)
    return replace(problem, value=value, capacity_seconds=capacity, side=side)


def limits_left(problem: AssignmentProblem, exploration: Exploration) -> tuple[NDArray[np.int64], SideConstraints | None]:
    """Return the capacity and the side rows that drawn accounts leave to the others."""
    side = problem.side
    if side is not None:
        drawn = np.flatnonzero(exploration.drawn)
        counts = np.zeros(side.table.shape[1:], dtype=np.int64)
        np.add.at(counts, (side.group[drawn], exploration.queue[drawn]), 1)
        side = replace(side, limit=side.limit - (side.table * counts).sum(axis=(1, 2)))
    return problem.capacity_seconds - exploration.used_seconds, side


def propensities_nano(
    problem: AssignmentProblem, exploration: Exploration, otherwise: NDArray[np.int16], taken: NDArray[np.int16]
) -> NDArray[np.int64]:
    """Return int64 (n,) in 1e-9: the probability of the action taken.

    Args:
        problem: the problem before accounts were withdrawn.
        exploration: the draws.
        otherwise: int16 (n,) queue of each account when it is not drawn, ``UNASSIGNED`` for none.
        taken: int16 (n,) queue of each account.
    """
    result = np.empty(problem.account_count, dtype=np.int64)
    own = np.empty(problem.account_count, dtype=np.int64)
    for start in range(0, problem.account_count, _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        rate = _cell_rates(problem, exploration.rate_nano, rows)
        action = taken[rows].astype(np.int64)
        result[rows] = np.where(action == UNASSIGNED, 0, rate[np.arange(len(rate)), action])
        own[rows] = rate.sum(axis=1)
    person = own
    if problem.persons is not None:
        person = _per_person(problem.persons, own)[problem.persons.of]
        result += np.where(taken == UNASSIGNED, person - own, 0)
    return result + np.where(taken == otherwise, PROPENSITY_SCALE - person, 0)


def _cell_rates(problem: AssignmentProblem, rate: NDArray[np.int64], rows: slice | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the probability in 1e-9 with which each cell of some rows is drawn, int64 (r, q)."""
    eligible = problem.value[rows] != INELIGIBLE
    if problem.persons is None:
        return np.where(eligible, rate, 0)
    accounts = problem.persons.account_count[problem.persons.of[rows]]
    return np.where(eligible, rate // accounts[:, np.newaxis], 0)


def _per_person(persons: Persons, of_accounts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.add.reduceat(of_accounts[persons.order], persons.start[:-1]), dtype=np.int64)


def _rates(problem: AssignmentProblem, share: float) -> NDArray[np.int64]:
    """Return e_q in 1e-9: reserve over the time of all eligible accounts; together at most a half for any account."""
    demand = np.zeros(problem.queue_count, dtype=np.int64)
    for start in range(0, problem.account_count, _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        eligible = problem.value[rows] != INELIGIBLE
        if problem.persons is None:
            demand += np.where(eligible, problem.seconds[rows], 0).sum(axis=0, dtype=np.int64)
        else:
            accounts = problem.persons.account_count[problem.persons.of[rows]][:, np.newaxis]
            demand += np.floor((np.where(eligible, problem.seconds[rows], 0) / accounts).sum(axis=0)).astype(np.int64)
    wanted = share * problem.capacity_seconds / np.maximum(demand, 1) * PROPENSITY_SCALE
    wanted = np.where(demand > 0, np.minimum(wanted, _MOST_DRAWN), 0.0)
    total = wanted.sum()
    return np.floor(wanted * min(1.0, _MOST_DRAWN / total) if total > 0 else wanted).astype(np.int64)


def _drawn(problem: AssignmentProblem, rate: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int16]:
    """Return the queue each account is drawn for: one uniform number per person, one interval per cell of his."""
    queue = np.full(problem.account_count, UNASSIGNED, dtype=np.int16)
    persons = problem.persons
    point = generator.integers(0, PROPENSITY_SCALE, problem.account_count if persons is None else persons.count)
    candidates = np.flatnonzero(point < rate.sum())
    rest = point[candidates]
    if persons is not None:
        chosen, (candidates, part) = candidates, persons.take(candidates)
        own = _cell_rates(problem, rate, candidates).sum(axis=1)
        before = np.cumsum(own) - own
        rest = point[chosen][part.of] - (before - before[part.start[:-1]][part.of])
    ends = np.cumsum(_cell_rates(problem, rate, candidates), axis=1)
    place = (ends <= rest[:, None]).sum(axis=1)
    hit = (place < problem.queue_count) & (rest >= 0)
    queue[candidates[hit]] = place[hit]
    return queue


def _used(problem: AssignmentProblem, queue: NDArray[np.int16]) -> NDArray[np.int64]:
    drawn = np.flatnonzero(queue != UNASSIGNED)
    used = np.zeros(problem.queue_count, dtype=np.int64)
    np.add.at(used, queue[drawn], problem.seconds[drawn, queue[drawn]].astype(np.int64))
    return used
