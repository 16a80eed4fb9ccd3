"""Servers of one ledger in processes of their own, each started again after it was killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path


class Servers:
    """Servers of one ledger.

    Args:
        folder: the data folder.
        url: the database, "" for the folder's own.
        started: of the clock.
        count: how many.
        plant: a bug to plant, "" for none.
    """

    def __init__(self, folder: Path, url: str, started: float, count: int, plant: str) -> None:
        self._arguments = [str(folder), url]
        self._rest = [str(started), plant]
        self.ports = [_free_port() for _ in range(count)]
        self._running = [self._start(port) for port in self.ports]
        for one in self._running:
            _wait_for(one)
        self.kills = 0

    @property
    def processes(self) -> list[int]:
        """The ids of the processes."""
        return [one.pid for one in self._running]

    def kill(self, at: int) -> None:
        """Kill a server and start it again."""
        self._running[at].send_signal(signal.SIGKILL)
        self._running[at].wait()
        self.kills += 1
        self._running[at] = self._start(self.ports[at])
        _wait_for(self._running[at])

    def close(self) -> None:
        """End all servers."""
        for one in self._running:
            one.kill()
            one.wait()

    def _start(self, port: int) -> subprocess.Popen[str]:
        folder, url = self._arguments
        command = [sys.executable, "-m", "harness.leases.server", folder, url, str(port), *self._rest]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    if "serving" not in server.stdout.readline():
        raise RuntimeError("a server did not start")
