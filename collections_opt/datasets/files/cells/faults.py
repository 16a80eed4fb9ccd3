"""Faults of cells, gathered column by column; strings are made for cells at fault only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.row_faults import RowFaults, shown_cell

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Place:
    """Where cells stand: the schema column they feed, and the column of the file as its sender named it."""

    field: str
    column: str


class CellFaults:
    """Gathers what is wrong with the rows of a chunk."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, str, str, str, str, str]] = []

    def add(self, at: Mask, place: Place, rule: str, remedy: str, cells: Any) -> None:
        """Fault the rows of a mask, with their cells as they came (an Arrow array)."""
        if not at.any():
            return
        for row in np.flatnonzero(at).tolist():
            shown = shown_cell(cells[row].as_py())
            self._entries.append((row, place.field, place.column, shown, rule, remedy))

    def add_row(self, row: int, text: str, rule: str, remedy: str) -> None:
        """Fault a whole row, with its text as it came."""
        self._entries.append((row, "", "", shown_cell(text), rule, remedy))

    def take(self, others: CellFaults) -> None:
        """Add the faults of others, of the same rows."""
        self._entries.extend(others._entries)

    def keep(self, kept: Mask) -> None:
        """Leave out the rows that are not kept; the others move up."""
        place = np.cumsum(kept) - 1
        self._entries = [(int(place[row]), *rest) for row, *rest in self._entries if kept[row]]  # type: ignore[misc]

    def faults(self) -> RowFaults:
        """Return all faults in row order."""
        entries = sorted(self._entries, key=lambda entry: entry[0])
        row, *texts = zip(*entries, strict=True) if entries else ((),) * 6
        return RowFaults(np.array(row, dtype=np.int64), *(tuple(map(str, column)) for column in texts))
