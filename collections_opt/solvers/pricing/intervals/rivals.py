"""The cells that rows of persons leave out although some price in a box may prefer them: other accounts of the same persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.solvers.pricing.instance import Ints, box_charges
from collections_opt.solvers.pricing.people import People
from collections_opt.solvers.pricing.reduced_lp import Box

_BLOCK_PERSONS = 1 << 15


@dataclass(frozen=True)
class RivalCells:
    """Cells of accounts that are not the ones that their persons' rows hold.

    Attributes:
        people: whose they are.
        centre: int64 (m + k) prices at which persons that a box decides choose.
        person: int64 (r,) ascending.
        account, queue: int64 (r,) the cell.
    """

    people: People
    centre: Ints
    person: Ints
    account: Ints
    queue: Ints


def rival_cells(people: People, prices: Ints, box: Box) -> RivalCells:
    """Return the cells outside the rows at ``prices`` that survive a box: none that it decides against for every person."""
    blocks = (people.several[start : start + _BLOCK_PERSONS] for start in range(0, len(people.several), _BLOCK_PERSONS))
    found = [_of_some(people, prices, box, several) for several in blocks]
    empty = np.zeros(0, np.int64)
    person, account, queue = (np.concatenate([empty, *(part[k] for part in found)]) for k in range(3))
    return RivalCells(people, box.centre, person, account, queue)


def _of_some(people: People, prices: Ints, box: Box, several: Ints) -> tuple[Ints, Ints, Ints]:
    accounts, m = people.accounts, people.accounts.queues
    assert people.persons is not None
    rows, part = people.persons.take(several)
    value, seconds = accounts.value[rows].astype(np.int64), accounts.seconds[rows].astype(np.int64)
    group = accounts.group[rows] if len(accounts.table) else np.zeros(len(rows), np.int64)
    least, most = box_charges(accounts, box.low, box.high)
    workable: NDArray[np.bool_] = value > 0
    guaranteed = np.where(workable, value * PRICE_SCALE - box.high[:m] * seconds - most[group], 0).max(axis=1, initial=0)
    guaranteed = np.maximum.reduceat(guaranteed, part.start[:-1])[part.of]
    survives = workable & (value * PRICE_SCALE - box.low[:m] * seconds - least[group] >= guaranteed[:, np.newaxis])
    row, queue = np.nonzero(survives)
    held = people.picks(prices, several[part.of[row]], queue.astype(np.int16)) == rows[row]
    rivals = ~held
    return several[part.of[row]][rivals], rows[row][rivals], queue[rivals]
