"""Prices by nested samples: small samples find the neighbourhood of the prices, the whole instance settles them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.greedy import Cells, serve_in_order
from collections_opt.solvers.pricing.boxstep import Level, LevelResult, boxstep, price_scale
from collections_opt.solvers.pricing.instance import Instance, prove, sample, to_grid
from collections_opt.solvers.pricing.people import People

Floats = NDArray[np.float64]
Report = Callable[[str, float, Floats | None], None]
"""Told a stage, the fraction done and, once all accounts are looked at, the prices by now."""

_GROWTH = 8
_LARGEST_SAMPLE = 2.5
_OPEN_ON_SAMPLES = 3_000
SIZING_ROWS = 1 << 16
_CHANCE = 4.0
_NEAR = 1e-3
_WARM = 0.05
_MOST_TIED_TO_REFINE = 8_000
_ROUNDS_TO_REFINE = 4
_MOST_READINGS = 4
_NEGLIGIBLE = 1e-9


def find_prices(people: People, cap: Floats, seed: int, warm: Floats | None, deadline: Deadline, report: Report) -> LevelResult:
    """Return the prices of the whole instance, float64 (m + k) in minor units.

    Where persons have several accounts, each level reads them at the prices of the one before; the last level's prices are
    those of its own reading.

    Args:
        people: all accounts.
        cap: float64 (m + k) largest sane prices.
        seed: seed of the samples.
        warm: prices of a previous answer; larger samples are skipped if these bound the second one better than the first
            one's own prices do.
        deadline: wall-clock guard.
        report: called with a stage for people, the fraction done and prices by now.
    """
    previous: Instance | None = None
    centre, half = cap.copy(), np.full_like(cap, np.inf)
    sizes = sample_sizes(people.rows, len(cap))
    for number, size in enumerate(sizes):
        part = people.take(sample(people, size, seed))
        current = part.at(to_grid(centre)) if previous is not None else first_reading(part, cap, deadline)
        report(f"sample of {size} accounts", number / (len(sizes) + 2), None)
        if warm is not None and number == 1 and _bound_at(current, warm) <= _bound_at(current, centre):
            centre, half = warm, _WARM * price_scale(warm, current.queues)
            previous = _sizing_sample(people, warm, seed) or current
            break
        level = Level(current, previous, max(current.rows, 1) if previous is None else _OPEN_ON_SAMPLES)
        found = boxstep(level, centre, half, cap, deadline)
        if found.solution is None and deadline.fired:
            return found if previous is not None else replace(found, prices=_threshold_prices(current, cap))
        centre, half = _next_box(current, found, cap)
        previous = current
    whole = people.at(to_grid(centre)) if previous is not None else first_reading(people, cap, deadline)
    return _settle(whole, previous, centre, half, cap, deadline, report)


def first_reading(people: People, cap: Floats, deadline: Deadline) -> Instance:
    """Return the rows of few persons at prices that fit them: those that their rows at prices of 0 have."""
    rows = people.at(np.zeros(len(cap), dtype=np.int64))
    if people.persons is None:
        return rows
    found = boxstep(Level(rows, None, max(rows.rows, 1)), cap.copy(), np.full_like(cap, np.inf), cap, deadline)
    return people.at(to_grid(found.prices), rows)


def _threshold_prices(sample_of: Instance, cap: Floats) -> Floats:
    """Return what a greedy list of a sample had to turn away, for want of better prices."""
    room, m = sample_of.limit.copy(), sample_of.queues
    group = sample_of.group if len(sample_of.table) else np.zeros(1, np.int32)
    queue = np.full(sample_of.rows, UNASSIGNED, dtype=np.int16)
    prices = np.zeros(len(cap))
    rows = np.arange(sample_of.rows)
    cells = Cells(sample_of.value, sample_of.seconds, group, sample_of.table)
    prices[:m] = serve_in_order(cells, rows, queue, room[:m], room[m:], sample_of.threads)
    return np.minimum(prices, cap)


def _bound_at(instance: Instance, prices: Floats) -> int:
    return prove(instance, to_grid(prices)).bound


def sample_sizes(rows: int, limits: int) -> list[int]:
    """Return the sizes of the samples before the whole: from max(1000, 8 limits), eightfold, below n / 2.5."""
    sizes, size = [], max(1_000, 8 * limits)
    while size < rows / _LARGEST_SAMPLE:
        sizes.append(size)
        size *= _GROWTH
    return sizes


def refine_prices(
    people: People,
    start: Floats,
    cap: Floats,
    seed: int,
    deadline: Deadline,
    half: Floats | None = None,
    rows: Instance | None = None,
) -> LevelResult:
    """Improve prices that are almost right in a few rounds around them, unless too many accounts tie.

    The first box has the half-widths ``half``, or a thousandth of each price. ``rows`` are those of the people at ``start``.
    """
    rows = people.at(to_grid(start)) if rows is None else rows
    half = _NEAR * price_scale(start, rows.queues) if half is None else half
    sizing = _sizing_sample(people, start, seed)
    return boxstep(Level(rows, sizing, _OPEN_ON_SAMPLES, _MOST_TIED_TO_REFINE, _ROUNDS_TO_REFINE), start, half, cap, deadline)


def settle_people(people: People, found: LevelResult, cap: Floats, seed: int, deadline: Deadline) -> tuple[LevelResult, Instance]:
    """Return prices at which the reading of the people leaves nothing out, and their rows at these prices.

    Prices found on one reading are proven on their own; while that bound is more than negligibly above the one that the
    search saw, the rows are read again there and the prices refined. The best bound wins.
    """
    rows = people.at(to_grid(found.prices))
    if people.persons is None:
        return found, rows
    best, least = found, _bound_at(rows, found.prices)
    for _ in range(_MOST_READINGS):
        if found.solution is None or least - found.solution.bound * PRICE_SCALE <= _NEGLIGIBLE * least or deadline.expired():
            break
        if sample_sizes(people.rows, len(cap)):
            found = refine_prices(people, found.prices, cap, seed, deadline, rows=rows)
        else:
            found = boxstep(Level(rows, None, rows.rows), found.prices, np.full_like(cap, np.inf), cap, deadline)
        rows = people.at(to_grid(found.prices), rows)
        proven = _bound_at(rows, found.prices)
        if proven >= least:
            return best, people.at(to_grid(best.prices), rows)
        best, least = found, proven
    return best, rows


def _settle(
    instance: Instance,
    sizing: Instance | None,
    centre: Floats,
    half: Floats,
    cap: Floats,
    deadline: Deadline,
    report: Report,
) -> LevelResult:
    limit = int(np.clip(instance.rows / 400, 5_000, 25_000)) if sizing is not None else max(instance.rows, 1)
    level = Level(instance, sizing, limit)
    report("all accounts", 0.5, centre)
    return boxstep(
        level,
        centre,
        half,
        cap,
        deadline,
        lambda number, prices: report(f"box step {number + 1}", 0.5 + 0.4 * (1 - 0.9 ** (number + 1)), prices),
    )


def _sizing_sample(people: People, prices: Floats, seed: int) -> Instance | None:
    if people.rows < 2 * SIZING_ROWS:
        return None
    return people.take(sample(people, SIZING_ROWS, seed)).at(to_grid(prices))


def _next_box(instance: Instance, found: LevelResult, cap: Floats) -> tuple[Floats, Floats]:
    """Return centre and half-widths for the next level: a few standard errors of prices found on this sample.

    A price's standard error falls with the number of accounts of the sample that its limit takes. A side price that a sample
    leaves at its cap is fixed there if the sample lacks more than chance explains: the floor cannot be met, and its price is
    known exactly. Otherwise (a small group that is missing from the sample) it starts anew.
    """
    m, prices = instance.queues, found.prices
    seen = np.maximum(prove(instance, to_grid(prices)).worked, instance.rows / (20 * m) + 1)
    scale = price_scale(prices, m)
    half = np.empty_like(prices)
    half[:m] = 6 / np.sqrt(seen) * scale[:m]
    half[m:] = 20 / np.sqrt(instance.rows) * scale[m:]
    at_cap = np.flatnonzero(prices[m:] >= 0.999 * cap[m:]) + m
    lacking = np.zeros_like(prices) if found.solution is None else found.solution.lacking
    proven = lacking[at_cap] > _CHANCE * np.sqrt(np.abs(instance.limit[at_cap]) + 1)
    centre = prices.copy()
    impossible, lost = at_cap[proven], at_cap[~proven]
    centre[impossible], half[impossible] = cap[impossible], 0.0
    centre[lost], half[lost] = 0.0, np.inf
    return centre, half
