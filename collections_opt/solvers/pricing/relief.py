"""Bring a list back within its limits: the cheapest accounts move or leave, or in one pass whoever comes last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.solvers.compiled import kernel
from collections_opt.solvers.pricing.chain import NEVER, permitted
from collections_opt.solvers.pricing.instance import Instance, Ints, charges, losses_of, tally

Choices = NDArray[np.int16]

_CHOOSE_TO_SERVE, _CAN_SERVE, _EVERYONE = 0, 1, 2


def relieve(instance: Instance, prices: Ints, choice: Choices) -> Choices:
    """Return a list within all capacities and caps: from each limit that is over, the cheapest accounts leave first.

    An account first leaves a full queue for the queue with room where it loses least; what is then still over is dropped.
    Floors are not looked at.
    """
    m = instance.queues
    over = tally(instance, choice)[1] - instance.limit
    if (over <= 0).all():
        return choice
    guard = 2 * int(np.abs(instance.table).max(initial=0))
    kept = choice.copy()
    for limit in np.flatnonzero((over > 0) & ~instance.elastic)[::-1].tolist():
        left = instance.limit - tally(instance, kept)[1]
        inside, weight = _members(instance, kept, limit)
        loss = losses_of(instance, prices, inside)
        own = kept[inside].astype(np.int64)
        group = instance.group[inside].astype(np.int64) if len(instance.table) else np.zeros(len(inside), np.int64)
        moving = loss[:, :m] - loss[np.arange(len(inside)), own][:, None]
        moving[np.arange(len(inside)), own] = NEVER
        dropping = loss[:, m] - loss[np.arange(len(inside)), own]
        seconds = instance.seconds[inside].astype(np.int64)
        for cost, drop in ((moving.min(axis=1, initial=NEVER), False), (dropping, True)):
            order = np.argsort(cost / np.maximum(weight, 1), kind="stable")
            _leave(order, own, limit, loss, seconds, group, instance.table, left, guard, drop)
        kept[inside] = np.where(own == m, UNASSIGNED, own)
    return kept


def trimmed(instance: Instance, prices: Ints, choice: Choices) -> Choices:
    """Return a list within all capacities and caps in a pass or three in row order, whoever it costs.

    An account whose choice has no room left goes where it loses least among the queues that have, or nowhere. Floors come
    first: those that choose to serve them, then those that can.
    """
    kept, room, m = np.full_like(choice, UNASSIGNED), instance.limit.copy(), instance.queues
    group = instance.group if len(instance.table) else np.zeros(instance.rows, np.int32)
    charge = charges(instance, prices)
    for admit in (_CHOOSE_TO_SERVE, _CAN_SERVE, _EVERYONE):
        if admit == _EVERYONE or (room[m:] < 0).any():
            _trim(
                instance.value,
                instance.seconds,
                group,
                instance.table,
                prices[:m],
                charge,
                choice,
                kept,
                room[:m],
                room[m:],
                admit,
            )
    return kept


@kernel
def _fits(q: int, seconds: NDArray[np.uint16], group: int, table: Ints, room: Ints, side_room: Ints) -> bool:
    fits = seconds[q] <= room[q]
    for k in range(table.shape[0]):
        fits = fits and (table[k, group, q] <= 0 or table[k, group, q] <= side_room[k])
    return bool(fits)


@kernel
def _serves(q: int, group: int, table: Ints, side_room: Ints) -> bool:
    serves = False
    for k in range(table.shape[0]):
        serves = serves or (table[k, group, q] < 0 and side_room[k] < 0)
    return serves


@kernel
def _trim(  # noqa: PLR0913, PLR0917
    value: NDArray[np.int32],
    seconds: NDArray[np.uint16],
    group: NDArray[np.int32],
    table: Ints,
    price: Ints,
    charge: Ints,
    choice: Choices,
    kept: Choices,
    room: Ints,
    side_room: Ints,
    admit: int,
) -> None:
    """Admit accounts in row order; updates ``kept``, ``room`` and ``side_room``."""
    least = np.int64(-NEVER if admit == _CAN_SERVE else 0)
    for i in range(value.shape[0]):
        q, g = int(choice[i]), group[i]
        if kept[i] >= 0 or (q < 0 and admit != _CAN_SERVE):
            continue
        if admit == _CHOOSE_TO_SERVE and not _serves(q, g, table, side_room):
            continue
        if q < 0 or not _fits(q, seconds[i], g, table, room, side_room) or admit == _CAN_SERVE:
            q, best = -1, least
            for a in range(value.shape[1]):
                v = np.int64(value[i, a])
                gain = v * PRICE_SCALE - price[a] * np.int64(seconds[i, a]) - charge[g, a]
                wanted = v > 0 and gain > best and (admit == _EVERYONE or _serves(a, g, table, side_room))
                if wanted and _fits(a, seconds[i], g, table, room, side_room):
                    q, best = a, gain
        kept[i] = q
        if q >= 0:
            room[q] -= seconds[i, q]
            for k in range(table.shape[0]):
                side_room[k] -= table[k, g, q]


@kernel
def _leave(  # noqa: PLR0913, PLR0917
    order: Ints, own: Ints, limit: int, loss: Ints, seconds: Ints, group: Ints, table: Ints, left: Ints, guard: int, drop: bool
) -> None:
    """Let accounts move elsewhere, or drop them, in order until ``left[limit]`` is not negative; updates ``own`` and ``left``."""
    none = loss.shape[1] - 1
    room = left[none:]
    for i in order:
        if left[limit] >= 0:
            break
        old, new = own[i], none
        if old == none:
            continue
        for q in range(none if limit < none and not drop else 0):
            fits = q != old and seconds[i, q] <= left[q] and loss[i, q] < loss[i, new]
            if fits and permitted(table, room, guard, group[i], old, q):
                new = q
        if new == none and not drop:
            continue
        left[old] += seconds[i, old]
        if new < none:
            left[new] -= seconds[i, new]
        for k in range(table.shape[0]):
            room[k] += table[k, group[i], old] - (table[k, group[i], new] if new < none else 0)
        own[i] = new


def _members(instance: Instance, choice: Choices, limit: int) -> tuple[Ints, Ints]:
    """Return the assigned accounts that use a limit, and how much of it each does."""
    m = instance.queues
    if limit < m:
        inside = np.flatnonzero(choice == limit)
        return inside, instance.seconds[inside, limit].astype(np.int64)
    worked = np.flatnonzero(choice != UNASSIGNED)
    weight = instance.table[limit - m, instance.group[worked], choice[worked]]
    return worked[weight > 0], weight[weight > 0]
