"""The compiled loops over rows. Everything is int64: sums are associative, so no schedule can change a byte.

Reduced value of a cell: ``r = v * 2**20 - price_q * t - charge[g, q]``; -1 where the cell is not workable (v <= 0), which
never beats 0, the worth of leaving an account alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.solvers.compiled import kernel

Ints = NDArray[np.int64]
Values = NDArray[np.int32]
Seconds = NDArray[np.uint16]
Groups = NDArray[np.int32]

_BITS = PRICE_SCALE.bit_length() - 1
_LOW = PRICE_SCALE - 1


@kernel
def evaluate_rows(
    value: Values,
    seconds: Seconds,
    group: Groups,
    price: Ints,
    charge: Ints,
    choice: NDArray[np.int16],
    used: Ints,
    counts: Ints,
) -> tuple[int, int]:
    """Write each row's best queue (lowest index, -1 for none), add time and counts; return the surplus as (whole, fraction)."""
    whole, fraction = 0, 0
    grouped = group.shape[0] == value.shape[0]
    for i in range(value.shape[0]):
        g = group[i] if grouped else 0
        best = 0
        for q in range(value.shape[1]):
            v = np.int64(value[i, q])
            r = (v << _BITS) - price[q] * np.int64(seconds[i, q]) - charge[g, q]
            best = max(best, r if v > 0 else -1)
        chosen = -1
        if best > 0:
            for q in range(value.shape[1]):
                v = np.int64(value[i, q])
                if v > 0 and (v << _BITS) - price[q] * np.int64(seconds[i, q]) - charge[g, q] == best:
                    chosen = q
                    break
            used[chosen] += seconds[i, chosen]
            counts[g, chosen] += 1
            whole += best >> _BITS
            fraction += best & _LOW
        choice[i] = chosen
    return whole, fraction


@kernel
def screen_rows(  # noqa: PLR0913, PLR0917 - flat arrays of one pass
    value: Values,
    seconds: Seconds,
    group: Groups,
    low: Ints,
    high: Ints,
    charge_low: Ints,
    charge_high: Ints,
    undecided: Ints,
    used: Ints,
    counts: Ints,
) -> tuple[int, int, int]:
    """Decide every row whose best choice is the same for all prices in a box; write the others' indices.

    A choice survives if its best reduced value in the box reaches the best guaranteed one; >= keeps every tie open.
    Returns the number of undecided rows, their surviving queues, and the value of the decided rows.
    """
    open_rows, open_cells, total = 0, 0, 0
    grouped = group.shape[0] == value.shape[0]
    for i in range(value.shape[0]):
        g = group[i] if grouped else 0
        guaranteed = 0
        for q in range(value.shape[1]):
            v = np.int64(value[i, q])
            r = (v << _BITS) - high[q] * np.int64(seconds[i, q]) - charge_high[g, q]
            guaranteed = max(guaranteed, r if v > 0 else -1)
        survivors, last = 0, -1
        for q in range(value.shape[1]):
            v = np.int64(value[i, q])
            r = (v << _BITS) - low[q] * np.int64(seconds[i, q]) - charge_low[g, q]
            alive = (r >= guaranteed) & (v > 0)
            survivors += 1 if alive else 0
            last = q if alive else last
        if survivors + (1 if guaranteed == 0 else 0) > 1:
            undecided[open_rows] = i
            open_rows += 1
            open_cells += survivors
        elif survivors:
            used[last] += seconds[i, last]
            counts[g, last] += 1
            total += value[i, last]
    return open_rows, open_cells, total


@kernel
def second_losses(  # noqa: PLR0913, PLR0917
    value: Values,
    seconds: Seconds,
    group: Groups,
    price: Ints,
    charge: Ints,
    reach: Ints,
    rows: Ints,
    losses: Ints,
    between: NDArray[np.int16],
) -> int:
    """Write the rows whose second-best choice loses little against the best, with that loss and the two choices.

    ``reach`` (m + 1,) is the largest loss looked for where a choice is among the two, "not worked" last. Returns how many.
    """
    found = 0
    grouped = group.shape[0] == value.shape[0]
    for i in range(value.shape[0]):
        g = group[i] if grouped else 0
        best, second = np.int64(0), np.int64(-(1 << 62))
        none = value.shape[1]
        first, other = none, none
        for q in range(value.shape[1]):
            v = np.int64(value[i, q])
            if v > 0:
                r = (v << _BITS) - price[q] * np.int64(seconds[i, q]) - charge[g, q]
                if r > best:
                    second, other = best, first
                    best, first = r, q
                elif r > second:
                    second, other = r, q
        if best - second <= max(reach[first], reach[other]):
            rows[found] = i
            losses[found] = best - second
            between[found, 0], between[found, 1] = first, other
            found += 1
    return found


@kernel
def sample_rows(start: int, stop: int, seed: int, threshold: int, rows: Ints) -> int:
    """Write the indices in [start, stop) whose 32-bit hash (splitmix64) is below a threshold; nested in the threshold."""
    found = 0
    for i in range(start, stop):
        z = np.uint64(i) + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = (z ^ (z >> np.uint64(31))) >> np.uint64(32)
        if z < np.uint64(threshold):
            rows[found] = i
            found += 1
    return found


@kernel
def tally_rows(value: Values, seconds: Seconds, group: Groups, choice: NDArray[np.int16], used: Ints, counts: Ints) -> int:
    """Add time and counts of a list and return its value."""
    total = 0
    grouped = group.shape[0] == value.shape[0]
    for i in range(value.shape[0]):
        q = choice[i]
        if q >= 0:
            used[q] += seconds[i, q]
            counts[group[i] if grouped else 0, q] += 1
            total += value[i, q]
    return total


@kernel
def least_charges(table: Ints, low: Ints, high: Ints, least: Ints) -> None:
    """Write the smallest charge (g, m) of a table (k, g, m) over side prices in a box; ends the other way round, the largest."""
    least[:] = 0
    for k in range(table.shape[0]):
        for g in range(table.shape[1]):
            for q in range(table.shape[2]):
                a = table[k, g, q]
                least[g, q] += a * (low[k] if a >= 0 else high[k])
