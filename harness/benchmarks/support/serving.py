"""A real server in a process of its own, and load on it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import grpc
import numpy as np
import psutil

from collections_opt.client.client import Client, connect
from collections_opt.client.connection import Connection
from harness.benchmarks.support.cases import ROOT
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import MODELS

T = TypeVar("T")


@dataclass(frozen=True)
class Served:
    """A running server: how to reach it, and its process id."""

    address: str
    process: int

    @contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        """Yield a connection of its own; nothing is retried behind the bench's back."""
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self.address, options=options) as channel:
            yield channel

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Yield the product's own client."""
        with connect(Connection(self.address, insecure_loopback=True)) as client:
            yield client


@contextmanager
def served(data: Path, *flags: str, plaintext: bool = True) -> Iterator[Served]:
    """Start ``scripts/serve.py`` over a data folder and stop it after the body; without plaintext, ``flags`` say how."""
    data.mkdir(parents=True, exist_ok=True)  # a server makes no folder: a name that was misspelt would be an empty ledger
    command = [sys.executable, "scripts/serve.py", "--data", str(data), "--models", str(MODELS), "--port", "0"]
    command += [*(["--insecure-loopback"] if plaintext else []), *flags]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line.startswith("serving on "):
                raise RuntimeError(f"the server did not start: {line!r}")
            yield Served(line.removeprefix("serving on ").strip(), process.pid)
        finally:
            process.terminate()


@contextmanager
def cores_apart() -> Iterator[Callable[[], None]]:
    """Give what is started in the block a core of its own, until the yielded function is called: then this process the others.

    So whoever calls, or attacks, takes nothing of the server's processor, as if calls came from another machine. Where there is
    one core alone, or no way to bind processes to cores, nothing is bound.
    """
    bind = getattr(os, "sched_setaffinity", None)
    ours = sorted(os.sched_getaffinity(0)) if bind else []
    if len(ours) < 2:
        yield lambda: None
        return

    def all_threads(cores: list[int]) -> None:
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):
                bind(int(thread.name), cores)

    all_threads(ours[:1])
    try:
        yield lambda: all_threads(ours[1:])
    finally:
        all_threads(ours)


@dataclass(frozen=True)
class Load:
    """What callers saw: seconds of every accepted call, calls by refusal, and the wall seconds of it all."""

    latencies: list[float]
    refused: int
    seconds: float

    def record(self, measure: Measure) -> None:
        """Record percentiles in milliseconds and accepted calls per second."""
        if not self.latencies:
            raise RuntimeError("no call was accepted")
        p50, p95, p99 = np.percentile(self.latencies, [50, 95, 99]) * 1e3
        measure.figures |= {"p50 ms": float(p50), "p95 ms": float(p95), "p99 ms": float(p99)}
        measure.figures |= {"calls / s": len(self.latencies) / self.seconds, "calls": len(self.latencies)}
        measure.figures["refused"] = self.refused


def closed_loop(call: Callable[[], object], callers: int, calls: int) -> Load:
    """Let callers make ``calls`` calls in all, each the next one when the last is answered."""
    latencies: list[list[float]] = [[] for _ in range(callers)]
    refused = [0] * callers

    def work(caller: int) -> None:
        for _ in range(calls // callers):
            begin = time.perf_counter()
            try:
                call()
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                refused[caller] += 1
            else:
                latencies[caller].append(time.perf_counter() - begin)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(callers)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    return Load([value for values in latencies for value in values], sum(refused), seconds)


class Own(Generic[T]):
    """One thing for each thread that asks, such as a connection for each caller."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._mine = threading.local()

    def mine(self) -> T:
        """Return the calling thread's own."""
        found: T | None = getattr(self._mine, "it", None)
        if found is None:
            found = self._mine.it = self._make()
        return found


def cpu_seconds(process: int) -> float:
    """Return the processor seconds that a running process has had, user and system together."""
    times = psutil.Process(process).cpu_times()
    return times.user + times.system
