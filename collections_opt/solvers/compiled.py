"""Compilation of the numeric kernels, which run over the chunks of rows that an engine hands them.

Kernels release the GIL and are driven by ordinary threads, so that any number of solves may run at the same time in a
server; their sums are integers, so that neither the number of threads nor the order of chunks can change a byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

from collections_opt.engines.here import CHUNK_ROWS, map_chunks

__all__ = ["CHUNK_ROWS", "kernel", "map_chunks"]

_Function = TypeVar("_Function", bound=Callable[..., object])


def kernel(function: _Function) -> _Function:
    """Compile a numeric function once, cached on disk, releasing the GIL while it runs."""
    try:
        return cast(_Function, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        # Neither the package's folder nor a home can be written, as in a container without rights: compiled anew by each process.
        return cast(_Function, numba.njit(nogil=True)(function))
