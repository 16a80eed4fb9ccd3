"""Place accounts at given prices, without a solve: each takes the queue that leaves most after the price of its minutes.

At optimal prices this is what an optimal assignment does, up to ties: by complementary slackness no account of it has a better
choice, and the money that all recorded choices together leave on the table is the bound minus the objective, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, UNASSIGNED, AssignmentProblem
from collections_opt.core.problem.person_choice import NEVER, Rivals, Standing, candidate_cells, rivals
from collections_opt.core.ranking.ranking import Disposition

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Placements:
    """Where accounts go at given prices; one row per account.

    Attributes:
        disposition: uint8 (m,), a ``Disposition``; ASSIGNED means that a queue is worth its price.
        queue: int16 (m,), -1 for none.
        best_queue: int16 (m,) queue of the largest margin among those allowed, -1 if none is allowed.
        rivals: the best other account of each one's person: it is preferred where this one is not placed.
        margin: int64 (m, q) D - lambda h - side prices, in ``1 / PRICE_SCALE`` minor units; ``NEVER`` where ineligible.
    """

    disposition: NDArray[np.uint8]
    queue: NDArray[np.int16]
    best_queue: NDArray[np.int16]
    rivals: Rivals
    margin: Ints

    @cached_property
    def cell(self) -> NDArray[np.int16]:
        """The queue whose figures describe each account: its own, or its best one if no queue works it; int16 (m,)."""
        return np.where(self.queue == UNASSIGNED, self.best_queue, self.queue).astype(np.int16)


def margins(problem: AssignmentProblem, prices: Ints, side_prices: Ints) -> Ints:
    """Return D - lambda h - sum_k nu_k A_k of every cell, int64 (m, q) in ``1 / PRICE_SCALE`` minor units, exact.

    Args:
        problem: increments, times and, with ``side_prices``, the side rows with the group of each account.
        prices: int64 (q,) price of each queue's time.
        side_prices: int64 (k,) price of each side row.
    """
    result = problem.value.astype(np.int64) * PRICE_SCALE - problem.seconds.astype(np.int64) * prices
    if problem.side is not None and side_prices.size:
        charges = np.tensordot(side_prices, problem.side.table, axes=1)
        result -= charges[problem.side.group]
    result[problem.value == INELIGIBLE] = NEVER
    return result


def place(problem: AssignmentProblem, prices: Ints, side_prices: Ints, standing: Standing | None = None) -> Placements:
    """Place each person by itself; capacity is what the prices stand for, and is not counted here.

    A cell is taken only if its increment is positive and its margin too: where the margin is 0 the minutes earn as much with
    another account, and the account that the ranking works keeps them. Ties between queues go to the first. Of a person's
    accounts one is placed, see ``rivals``; ``standing`` is what the ranking decided, None if it decided nothing.
    """
    margin = margins(problem, prices, side_prices)
    workable = problem.value > 0
    allowed = problem.value != INELIGIBLE
    everyone = np.arange(problem.account_count)
    any_allowed = allowed.any(axis=1)
    candidates = candidate_cells(workable, margin, standing)
    first = candidates.argmax(axis=1) if problem.queue_count else np.zeros(problem.account_count, dtype=np.int64)
    top = candidates[everyone, first] if problem.queue_count else np.full(problem.account_count, NEVER)
    kept = np.zeros(problem.account_count, dtype=bool) if standing is None else standing.kept
    wanted = kept | (top > 0)
    found = rivals(problem.persons, top, wanted, kept, None if standing is None else standing.beside.margin)
    placed = wanted & (top >= found.needed)
    conditions = [placed, wanted, ~any_allowed, ~workable.any(axis=1)]
    choices = [
        Disposition.ASSIGNED,
        Disposition.ANOTHER_ACCOUNT_WORKED,
        Disposition.INELIGIBLE,
        Disposition.COSTS_MORE_THAN_IT_EARNS,
    ]
    disposition = np.select(conditions, [int(c) for c in choices], int(Disposition.PRICED_OUT)).astype(np.uint8)
    return Placements(
        disposition=disposition,
        queue=np.where(placed, first, UNASSIGNED).astype(np.int16),
        best_queue=np.where(any_allowed, np.where(wanted, first, margin.argmax(axis=1)), UNASSIGNED).astype(np.int16),
        rivals=found,
        margin=margin,
    )


def keep_recorded(
    placements: Placements, unchanged: NDArray[np.bool_], disposition: NDArray[np.uint8], queue: NDArray[np.int16]
) -> Placements:
    """Return placements in which accounts that did not change keep the decision they have, unless another of their person won.

    Args:
        placements: by prices.
        unchanged: bool (m,).
        disposition: uint8 (m,) recorded decision, read where ``unchanged``.
        queue: int16 (m,) recorded queue, read where ``unchanged``.
    """
    unchanged = unchanged & (placements.disposition != Disposition.ANOTHER_ACCOUNT_WORKED)
    return replace(
        placements,
        disposition=np.where(unchanged, disposition, placements.disposition).astype(np.uint8),
        queue=np.where(unchanged, queue, placements.queue).astype(np.int16),
    )


def same_inputs(portfolio: Portfolio, other: Portfolio) -> NDArray[np.bool_]:
    """Return where two portfolios of m accounts each hold the same inputs in the same row, bool (m,); nowhere on two dates."""
    same = np.full(portfolio.account_count, portfolio.as_of_date == other.as_of_date, dtype=bool)
    for name in dict.fromkeys([*portfolio.columns, *other.columns]):
        for mine, theirs in ((portfolio.column(name), other.column(name)), (portfolio.is_present(name), other.is_present(name))):
            same &= _same_rows(mine, theirs)
    if portfolio.own is None or other.own is None:
        return same & (portfolio.own is other.own)
    return same & portfolio.own.same_rows(other.own)


def _same_rows(mine: Array, theirs: Array) -> NDArray[np.bool_]:
    """Compare rows; a history is the same if the months beyond the shorter one are empty."""
    if mine.ndim == 1:
        return np.asarray(mine == theirs, dtype=bool)
    width = min(mine.shape[1], theirs.shape[1])
    rest = ~mine[:, width:].any(axis=1) & ~theirs[:, width:].any(axis=1)
    return np.asarray((mine[:, :width] == theirs[:, :width]).all(axis=1) & rest, dtype=bool)
