"""How commands that serve learn that they shall end."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable


def signals_caught() -> Callable[[], object]:
    """Catch SIGTERM and SIGINT from now on; return what waits for the first.

    The kernel may deliver a signal to any thread, and Python's own handlers run in the main one only when it wakes: a main thread
    that waits for a lock would sleep on. So it waits for the byte that Python writes in whichever thread is told.
    """
    heard, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return lambda: (heard.recv(1), told)  # told stays open as long as somebody waits
