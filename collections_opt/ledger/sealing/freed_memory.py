"""Gives memory back that large reads freed: allocators keep it for the next one, and a server's threads each keep their own."""

from __future__ import annotations

import ctypes
import sys

import pyarrow as pa

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
"""Of the C library of GNU alone."""


def give_back() -> None:
    """Return to the operating system what Arrow and the C library hold and nobody uses; takes some milliseconds."""
    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)
