"""A process that has imported everything and forks children on demand, so that thousands of them can be born and killed.

Children talk to their parent over a socket, a JSON object per line. A child that dies is seen at the end of its stream.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
"""No thread may exist before a fork."""


class Child:
    """The parent's end of a child."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lines = connection.makefile("r", encoding="utf-8")
        self.pid = int(json.loads(self._lines.readline())["pid"])

    def __iter__(self) -> Iterator[dict]:
        """Yield what the child says until it ends or dies."""
        try:
            for line in self._lines:
                if line.endswith("\n"):  # a line cut by death says nothing
                    yield json.loads(line)
        except ConnectionError:
            return

    def answer(self, text: str = "") -> None:
        """Let a child that asked go on."""
        self._socket.sendall(f"{text}\n".encode())

    def kill(self) -> None:
        """Kill the child as ``kill -9`` does."""
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Forget the child."""
        self._lines.close()
        self._socket.close()


class Zygote:
    """The parent's end of the process that forks; children of one zygote share its hash seed."""

    def __init__(self, hash_seed: int = 0) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = str(Path(self._folder.name) / "socket")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(16)
        environment = {**os.environ, **ONE_THREAD, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "harness.faults.zygote", path]
        # Its output tells the parent that it is ready, and by its end that it died: a parent must never wait for the dead.
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the process that forks died before it was ready")

    def fork(self, job: dict) -> Child:
        """Return a new child at work on a job."""
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._listener, self._process.stdout], [], [])
        if self._listener not in ready:
            raise RuntimeError("the process that forks died")
        return Child(self._listener.accept()[0])

    def close(self) -> None:
        """End the process that forks."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._listener.close()
        self._folder.cleanup()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Channel:
    """A child's end."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._answers = self._socket.makefile("r")
        self.say(pid=os.getpid())

    def say(self, **facts: object) -> None:
        """Tell the parent something; a parent that is gone is no concern of the work."""
        self._socket.sendall((json.dumps(facts) + "\n").encode())

    def ask(self, **facts: object) -> None:
        """Tell the parent something and wait for its answer."""
        self.say(**facts)
        self._answers.readline()


def _serve(path: str) -> None:
    import lightgbm  # noqa: F401, PLC0415 - what scores, which the program loads only when it scores

    from harness.faults.child import work  # noqa: PLC0415 - what the children need, imported once

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    print("ready", flush=True)
    for line in iter(sys.stdin.readline, ""):
        if os.fork():
            continue
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the parent reads the end of the zygote alone
        status = 1
        try:
            work(Channel(path), json.loads(line))
            status = 0
        finally:
            os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1])
