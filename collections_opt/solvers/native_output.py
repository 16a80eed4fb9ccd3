"""Keep what native libraries print away from standard output, where people expect tables and JSON."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_depth = 0
_saved = -1


@contextmanager
def native_output_to_stderr() -> Iterator[None]:
    """Send file descriptor 1 to 2 for a while: HiGHS prints there whatever its options say. Threads may overlap."""
    global _depth, _saved  # noqa: PLW0603 - a process has one standard output
    with _lock:
        if _depth == 0:
            sys.stdout.flush()
            _saved = os.dup(1)
            os.dup2(2, 1)
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                ctypes.CDLL(None).fflush(None)
                os.dup2(_saved, 1)
                os.close(_saved)
