"""Passes in this process: arrays in memory, read in fixed chunks by threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from collections_opt.engines.passes import Change, Columns

_Result = TypeVar("_Result")

CHUNK_ROWS = 1 << 16


def map_chunks(work: Callable[[int, int], _Result], rows: int, threads: int, chunk_rows: int = CHUNK_ROWS) -> list[_Result]:
    """Return ``work(start, stop)`` of every chunk of ``rows``, in row order, on up to ``threads`` threads."""
    bounds = [(start, min(start + chunk_rows, rows)) for start in range(0, rows, chunk_rows)]
    if threads <= 1 or len(bounds) <= 1:
        return [work(start, stop) for start, stop in bounds]
    with ThreadPoolExecutor(max_workers=min(threads, len(bounds))) as pool:
        return list(pool.map(lambda pair: work(*pair), bounds))


@dataclass(frozen=True)
class Here:
    """Rows in the memory of this process.

    Attributes:
        columns: at least one, each with a row in its first axis.
        threads: worker threads of a pass.
    """

    columns: Columns
    threads: int = 1

    @property
    def rows(self) -> int:
        """Number of rows n."""
        return len(next(iter(self.columns.values())))

    @property
    def near(self) -> bool:
        """Whether all rows lie in the memory of this process: they do."""
        return True

    def over(self, work: Callable[[Columns, int], _Result]) -> list[_Result]:
        """Return ``work(columns, start)`` of every chunk, in row order."""
        return map_chunks(
            lambda start, stop: work({name: column[start:stop] for name, column in self.columns.items()}, start),
            self.rows,
            self.threads,
        )

    def take(self, rows: NDArray[np.int64]) -> Here:
        """Return a copy of some rows: int64 (r,), ascending."""
        return Here({name: column[rows] for name, column in self.columns.items()}, self.threads)

    def some(self, rows: NDArray[np.int64]) -> Here:
        """Return a copy of some rows, as ``take``."""
        return self.take(rows)

    def changed(self, change: Change) -> Here:
        """Return the same rows with other columns, written at once."""
        return Here(change(self.columns), self.threads)

    def kept(self, change: Change) -> Here:
        """Return the same rows with other columns, as ``changed``."""
        return self.changed(change)

    def here(self) -> Here:
        """Return itself."""
        return self
