"""What a reader found wrong with rows before they reached the door: each fault names row, column, cell, rule and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.shown_text import visible

MAX_SHOWN_CHARACTERS = 120
"""Of a cell that is shown to people; longer ones are cut."""


def shown_cell(value: object) -> str:
    """Return a value as one short printable line: what does not print is written as its escape."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return visible(text[:MAX_SHOWN_CHARACTERS])


@dataclass(frozen=True)
class RowFaults:
    """Faults as parallel tuples, one entry per row and rule.

    Attributes:
        row: int64 (k,) 0-based row of the columns that the faults go with.
        field: schema column at fault; "" for a whole row, such as one with too many cells.
        column: the sender's own name of the column.
        value: the sender's own cell, shortened.
        rule: stable code, such as NOT_A_NUMBER.
        remedy: what the sender should do.
    """

    row: NDArray[np.int64]
    field: tuple[str, ...]
    column: tuple[str, ...]
    value: tuple[str, ...]
    rule: tuple[str, ...]
    remedy: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of faults."""
        return len(self.rule)

    def moved(self, rows: NDArray[np.int64]) -> RowFaults:
        """Return the faults with row i at ``rows[i]``."""
        return RowFaults(rows[self.row], self.field, self.column, self.value, self.rule, self.remedy)

    def between(self, start: int, stop: int) -> RowFaults:
        """Return the faults of rows from ``start`` to before ``stop``, counted from ``start``; faults must be in row order."""
        low, high = np.searchsorted(self.row, [start, stop])
        cut = slice(int(low), int(high))
        texts = (self.field[cut], self.column[cut], self.value[cut], self.rule[cut], self.remedy[cut])
        return RowFaults(self.row[cut] - start, *texts)


NO_FAULTS = RowFaults(np.zeros(0, dtype=np.int64), (), (), (), (), ())


def joined(parts: Sequence[RowFaults]) -> RowFaults:
    """Return the faults of several parts, whose rows count on alike, as one."""
    if not parts:
        return NO_FAULTS
    return RowFaults(
        np.concatenate([part.row for part in parts]),
        *(
            tuple(text for part in parts for text in getattr(part, name))
            for name in ("field", "column", "value", "rule", "remedy")
        ),
    )
