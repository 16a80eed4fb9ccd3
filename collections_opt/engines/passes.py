"""The one interface of every engine: rows that are read pass by pass, each pass returning little.

Rows are columns over parts that lie one after the other. What a pass returns is a function of its part alone and sums of
integers join the parts, so neither their number nor a part computed twice can change a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
"""Columns by name, each with one entry per row in its first axis."""

Result = TypeVar("Result")
Change = Callable[[Columns], Columns]
"""Rewrites the columns of a part, row by row: the same rows in the same order."""


class Passes(Protocol):
    """n rows and the ways to read them.

    What is handed to ``over`` and ``changed`` may run in another process: it closes over small values only, has no effects,
    and may run more than once for a part.
    """

    @property
    def rows(self) -> int:
        """Number of rows n."""
        ...

    @property
    def threads(self) -> int:
        """Worker threads of what this process does by itself."""
        ...

    @property
    def near(self) -> bool:
        """Whether all rows lie in the memory of this process."""
        ...

    def over(self, work: Callable[[Columns, int], Result]) -> list[Result]:
        """Return ``work(columns, start)`` of every part, in row order; ``start`` is the number of its first row."""
        ...

    def take(self, rows: NDArray[np.int64]) -> Near:
        """Bring some rows into this process: int64 (r,), ascending."""
        ...

    def some(self, rows: NDArray[np.int64]) -> Passes:
        """Return some rows, int64 (r,), ascending, as rows 0 to r - 1: few come here, many stay where they are."""
        ...

    def changed(self, change: Change) -> Passes:
        """Return the same rows with other columns."""
        ...

    def kept(self, change: Change) -> Passes:
        """Return the same rows with other columns, which are made once and kept where the rows are."""
        ...

    def here(self) -> Near:
        """Bring all rows into this process."""
        ...


class Engine(Protocol):
    """Where rows are kept and passes run."""

    @property
    def least_accounts(self) -> int:
        """Rankings of fewer accounts are made in this process."""
        ...

    def start(self) -> None:
        """Start what it needs: before a server's threads, beside which a process that forks may end."""
        ...

    def spread(self, columns: Columns) -> AbstractContextManager[Passes]:
        """Keep rows where passes over them run, for the time of a block."""
        ...


class Near(Passes, Protocol):
    """Rows in the memory of this process."""

    @property
    def columns(self) -> Columns:
        """All rows, by column."""
        ...
