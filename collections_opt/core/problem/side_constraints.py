"""Side constraints as rows of the assignment problem: accounts grouped by the segments and the previous queue that rows read."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import UNASSIGNED, SideConstraints
from collections_opt.core.problem.constraints import MOVES, LimitKind, RankingConstraints, Segment
from collections_opt.core.rules.eligibility import bucket_of, in_jurisdiction

NOT_COMPARED = -2
"""Previous queue of an account that the previous ranking does not hold, or whose queue is gone: it never counts as moved."""

_DENSE_CODES = 1 << 20


def side_constraints(
    portfolio: Portfolio, plan: CapacityPlan, constraints: RankingConstraints, previous_queue: NDArray[np.int16] | None
) -> SideConstraints | None:
    """Return the rows for n accounts and q queues, or None if nothing is constrained.

    An account counts as moved unless it stays where it was, so with P accounts worked before the cap M on moves reads

        sum over accounts not worked before of x_iq - sum over accounts worked before of x_i,previous <= M - P.

    Args:
        portfolio: the accounts.
        plan: the queues.
        constraints: checked constraints.
        previous_queue: int16 (n,) queue of each account in the previous ranking, ``UNASSIGNED`` or ``NOT_COMPARED``; needed
            for a cap on moves.
    """
    rows = len(constraints.limits)
    if not rows and constraints.max_moved_count is None:
        return None
    segments = list(dict.fromkeys(limit.segment for limit in constraints.limits))
    masks = [members(segment, portfolio) for segment in segments]
    moves = constraints.max_moved_count is not None and previous_queue is not None
    queues = len(plan.queues)
    code = np.zeros(portfolio.account_count, dtype=np.int64)
    for mask in reversed(masks):
        code = 2 * code + mask
    if moves and previous_queue is not None:
        code = code * (queues + 2) + (previous_queue.astype(np.int64) - NOT_COMPARED)
    codes, group = _ranks(code, (1 << len(masks)) * (queues + 2 if moves else 1))
    table = np.zeros((rows + moves, len(codes), queues), dtype=np.int64)
    limits = np.zeros(rows + moves, dtype=np.int64)
    bits = codes // (queues + 2) if moves else codes
    for k, limit in enumerate(constraints.limits):
        place = segments.index(limit.segment)
        sign = 1 if limit.kind is LimitKind.AT_MOST else -1
        counted = [plan.queue_index(queue_id) for queue_id in limit.queue_ids] or list(range(queues))
        table[k][np.ix_((bits >> place) & 1 == 1, counted)] = sign
        limits[k] = sign * _size(limit.account_count, limit.segment_share, limit.kind, int(masks[place].sum()))
    names = tuple(limit.name for limit in constraints.limits)
    if moves and previous_queue is not None and constraints.max_moved_count is not None:
        before = codes % (queues + 2) + NOT_COMPARED
        table[rows, before == UNASSIGNED, :] = 1
        worked = np.flatnonzero(before >= 0)
        table[rows, worked, before[worked]] = -1
        limits[rows] = constraints.max_moved_count - int((previous_queue >= 0).sum())
        names += (MOVES,)
    return SideConstraints(names, group, table, limits)


def members(segment: Segment, portfolio: Portfolio) -> NDArray[np.bool_]:
    """Return which accounts are in a segment, bool (n,)."""
    inside = np.ones(portfolio.account_count, dtype=bool)
    if segment.products:
        inside &= np.isin(portfolio.column("product"), np.array([code.encode() for code in segment.products]))
    if segment.states:
        states = portfolio.column("state")
        inside &= in_jurisdiction(states, segment.states) & (states != b"")
    if segment.buckets:
        inside &= np.isin(bucket_of(portfolio.column("days_past_due")), segment.buckets)
    return inside


def _size(count: int | None, share: float | None, kind: LimitKind, segment_count: int) -> int:
    if count is not None:
        return count
    size = (share or 0.0) * segment_count
    # A share such as 0.1 of 30 accounts must not become 4 because 0.1 is a little more than a tenth.
    return math.ceil(size - 1e-9) if kind is LimitKind.AT_LEAST else math.floor(size + 1e-9)


def _ranks(code: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the codes that occur, ascending, and int32 (n,) each account's place among them."""
    if size > _DENSE_CODES:
        codes, group = np.unique(code, return_inverse=True)
        return codes, group.astype(np.int32)
    codes = np.flatnonzero(np.bincount(code, minlength=size))
    place = np.zeros(size, dtype=np.int32)
    place[codes] = np.arange(len(codes))
    return codes, place[code]
