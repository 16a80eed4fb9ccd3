"""Memory of large arrays given back to the system as soon as they are let go of."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
LARGE_BYTES = 2**20
"""An array of this size has pages of its own, which end with it."""


def give_large_arrays_back() -> bool:
    """Let arrays of a megabyte and more have pages of their own; return whether the C library could be told (glibc can).

    By itself glibc raises that size to 32 MB as arrays come and go, keeps what lies between those that stay, and a server that
    once checked a large portfolio holds up to twice the memory that it needs.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES))
