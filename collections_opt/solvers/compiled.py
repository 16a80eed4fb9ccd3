"""Compilation of the numeric kernels and their parallel execution over fixed chunks of rows.

Kernels release the GIL and are driven by ordinary threads, so that any number of solves may run at the same time in a
server; their sums are integers, so that neither the number of threads nor the order of chunks can change a byte.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., object])
_Result = TypeVar("_Result")

CHUNK_ROWS = 1 << 16


def kernel(function: _Function) -> _Function:
    """Compile a numeric function once, cached on disk, releasing the GIL while it runs."""
    try:
        return cast(_Function, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        # Neither the package's folder nor a home can be written, as in a container without rights: compiled anew by each process.
        return cast(_Function, numba.njit(nogil=True)(function))


def map_chunks(work: Callable[[int, int], _Result], rows: int, threads: int, chunk_rows: int = CHUNK_ROWS) -> list[_Result]:
    """Return ``work(start, stop)`` of every chunk of ``rows``, in row order, on up to ``threads`` threads."""
    bounds = [(start, min(start + chunk_rows, rows)) for start in range(0, rows, chunk_rows)]
    if threads <= 1 or len(bounds) <= 1:
        return [work(start, stop) for start, stop in bounds]
    with ThreadPoolExecutor(max_workers=min(threads, len(bounds))) as pool:
        return list(pool.map(lambda pair: work(*pair), bounds))
