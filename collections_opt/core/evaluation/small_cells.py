"""Tables of counts that may be shown: small cells are hidden, and with them enough others that totals do not tell them.

Row and column totals are shown. Whoever knows them and the cells that are shown can bound every hidden one: it may grow or
shrink only along closed paths of hidden cells, up and down in turn, and no cell goes below zero. The widest such change is a
maximal flow in the graph of rows and columns (Gusfield 1988; Cox 1995). Cells are hidden until none is known to within ``least``.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

_UNBOUNDED = 1 << 62


def hidden_cells(counts: Counts, least: int) -> Mask:
    """Return which cells must not be shown, bool (r, c).

    Args:
        counts: int64 (r, c), none negative; the totals of rows and columns are shown.
        least: counts from 1 to below it are small; a hidden cell must not be known to within it.
    """
    hidden = (counts > 0) & (counts < least)
    while (weak := _weakest(counts, hidden, least)) is not None:
        more = _companions(counts, hidden, weak)
        if more is None:
            return np.ones_like(hidden)
        for cell in more:
            hidden[cell] = True
    return hidden


def hidden_range(counts: Counts, hidden: Mask, row: int, column: int) -> tuple[int, int]:
    """Return the least and the greatest count that a hidden cell may have by all that is shown."""
    value = int(counts[row, column])
    up = _flow(counts, hidden, (1, column), (0, row), (row, column))
    down = min(_flow(counts, hidden, (0, row), (1, column), (row, column)), value)
    return value - down, value + up


def _weakest(counts: Counts, hidden: Mask, least: int) -> tuple[int, int] | None:
    """Return a hidden cell that is known to within ``least``, None where there is none."""
    for row, column in np.argwhere(hidden).tolist():
        low, high = hidden_range(counts, hidden, row, column)
        if high - low < least:
            return row, column
    return None


def _companions(counts: Counts, hidden: Mask, cell: tuple[int, int]) -> tuple[tuple[int, int], ...] | None:
    """Return the three cells that close a path with a cell and let it vary most; among equal ones those that hide least."""
    row, column = cell
    best: tuple[int, int, tuple[tuple[int, int], ...]] | None = None
    for other in range(counts.shape[0]):
        for beside in range(counts.shape[1]):
            three = ((row, beside), (other, column), (other, beside))
            if other == row or beside == column or all(hidden[each] for each in three):
                continue
            # Up by what the two neighbours can give, down by what the far corner and the cell can.
            room = min(int(counts[row, beside]), int(counts[other, column])) + min(int(counts[other, beside]), int(counts[cell]))
            cost = sum(int(counts[each]) for each in three if not hidden[each])
            if best is None or (-room, cost) < best[:2]:
                best = (-room, cost, three)
    return None if best is None else best[2]


def _flow(counts: Counts, hidden: Mask, source: tuple[int, int], sink: tuple[int, int], without: tuple[int, int]) -> int:
    """Return the greatest flow over hidden cells but one: from rows to columns cells grow, from columns to rows they shrink.

    Nodes are (0, row) and (1, column).
    """
    room: dict[tuple[tuple[int, int], tuple[int, int]], int] = {}
    for row, column in np.argwhere(hidden).tolist():
        if (row, column) != without:
            room[(0, row), (1, column)] = _UNBOUNDED
            room[(1, column), (0, row)] = int(counts[row, column])
    total = 0
    while path := _path(room, source, sink):
        step = min(room[edge] for edge in path)
        for start, end in path:
            room[start, end] -= step
            room[end, start] += step
        total += step
        if total >= _UNBOUNDED:
            return _UNBOUNDED
    return total


def _path(
    room: dict[tuple[tuple[int, int], tuple[int, int]], int], source: tuple[int, int], sink: tuple[int, int]
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return a shortest way on which something can still flow, empty where there is none."""
    came: dict[tuple[int, int], tuple[int, int]] = {source: source}
    waiting = deque([source])
    while waiting and sink not in came:
        node = waiting.popleft()
        for (start, end), left in room.items():
            if start == node and end not in came and left > 0:
                came[end] = node
                waiting.append(end)
    if sink not in came:
        return []
    way, node = [], sink
    while node != source:
        way.append((came[node], node))
        node = came[node]
    return way[::-1]


def joined_kinds(counts: Counts, names: tuple[str, ...], least: int, ordered: bool) -> tuple[Counts, tuple[str, ...]]:
    """Return rows joined until each total is 0 or at least ``least``; empty rows are left out.

    Args:
        counts: int64 (r, c).
        names: of the rows.
        least: as ``hidden_cells``.
        ordered: join neighbours, as of bands; else the smallest with the next smallest.
    """
    rows: list[tuple[Counts, tuple[str, ...]]] = [
        (row, (name,)) for row, name in zip(counts, names, strict=True) if row.sum() > 0
    ]
    while len(rows) > 1 and min(int(row.sum()) for row, _ in rows) < least:
        at = min(range(len(rows)), key=lambda index: int(rows[index][0].sum()))
        others = [index for index in range(len(rows)) if index != at]
        near = [index for index in others if abs(index - at) == 1] if ordered else others
        to = min(near, key=lambda index: int(rows[index][0].sum()))
        first, second = sorted((at, to))
        rows[first] = (rows[first][0] + rows[second][0], rows[first][1] + rows[second][1])
        del rows[second]
    shape = (0, counts.shape[1])
    joined = np.array([row for row, _ in rows], dtype=np.int64) if rows else np.zeros(shape, dtype=np.int64)
    return joined, tuple(_joined_name(held, ordered) for _, held in rows)


def _joined_name(names: tuple[str, ...], ordered: bool) -> str:
    """Return what joined rows are called; bands are named by their first and last count, as 1-2 and 21 or more."""
    if len(names) == 1:
        return names[0]
    if not ordered:
        return " or ".join(names)
    low, last = names[0].partition("-")[0], names[-1]
    return f"{low} or more" if last.endswith(" or more") else f"{low}-{last.rpartition('-')[2]}"
