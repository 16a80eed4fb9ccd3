"""The one event loop that serves every server of a process, in a thread of its own.

grpc's asyncio server shares one completion queue per process; two loops would wake each other for nothing and log errors.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc.aio

T = TypeVar("T")

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def event_loop() -> asyncio.AbstractEventLoop:
    """Return this process's loop, running; a forked child gets its own."""
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="edge", daemon=True).start()
            asyncio.run_coroutine_threadsafe(_keep_queue(), loop).result()
            _loops[os.getpid()] = loop
        return loop


async def _keep_queue() -> None:
    """Hold grpc's queue of events for as long as the process lives.

    It would otherwise be closed with the last server, while the loop still has an event of it to read: "Bad file descriptor" on
    the terminal of whoever ran a command.
    """
    grpc.aio.init_grpc_aio()


def run_on_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the loop and wait for it; not to be called from the loop itself."""
    return asyncio.run_coroutine_threadsafe(work, event_loop()).result()
