"""A siege: callers who want to stop the server, beside callers who want to be served and a probe of its health.

An attack is a function that harms until it is told to stop; it runs in a process of its own
(``python -m harness.siege.attacks NAME ADDRESS``), or in a thread in tests.
"""

from __future__ import annotations

import itertools
import os
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from collections_opt.api.v1 import columns_pb2
from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.api.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from collections_opt.wire.common import write_date
from tests.support.serving.silent_calls import SilentConnection

SERVICE = "/collections_opt.api.v1.PortfolioService/"
ROOT = Path(__file__).parents[2]
SILENT = 200
"""Calls without a message that are open at once; they are opened anew every second."""
TOGETHER = 20
"""Of these, calls of one connection."""
LEAST_PRIORITY = 19
"""An attacker's processor is not the callers': what it leaves free is theirs first."""
HEADER = pb.PortfolioHeader(
    portfolio_id="siege", as_of_date=write_date("2026-11-24"), time_zone="UTC", currency_code="USD", row_count=10_000_000
)

Stopped = Callable[[float], bool]
"""Waits for some seconds, or until the attack shall end; tells whether it shall."""


def own_channel(address: str) -> grpc.Channel:
    """Return a connection of its own, without retries."""
    return grpc.insecure_channel(address, options=[("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)])


def half_open(address: str, stopped: Stopped) -> None:
    """Keep 200 calls open that send nothing, half of them of health, and open twenty anew every tenth of a second."""
    port, paths = int(address.rpartition(":")[2]), itertools.cycle([SERVICE + "GetPortfolio", "/grpc.health.v1.Health/Check"])
    open_ones = deque([_silent(port, paths) for _ in range(SILENT // TOGETHER)])
    while not stopped(TOGETHER / SILENT):
        open_ones.append(_silent(port, paths))
        open_ones.popleft().close()
    for connection in open_ones:
        connection.close()


def _silent(port: int, paths: Iterator[str]) -> SilentConnection:
    connection = SilentConnection(port)
    for path in itertools.islice(paths, TOGETHER):
        connection.start(path)
    connection.wait_until_known()
    return connection


def stalled_streams(address: str, stopped: Stopped) -> None:
    """Begin imports and say no more: a header, and half of a chunk."""
    port = int(address.rpartition(":")[2])
    message = pb.ImportPortfolioRequest(header=HEADER).SerializeToString()
    data = struct.pack(">BI", 0, len(message)) + message + struct.pack(">BI", 0, 1_000_000) + b"half"
    connections = [SilentConnection(port) for _ in range(6)]
    while not stopped(0.5):
        for connection in connections:
            connection.start(SERVICE + "ImportPortfolio", data=data)
            connection.wait_until_known()
    for connection in connections:
        connection.close()


def byte_flood(address: str, stopped: Stopped) -> None:
    """Import ids of a kilobyte without end, 20 MB a second."""
    ids = columns_pb2.TextColumn(values=[f"{number:01000}" for number in range(2_000)])
    chunk = columns_pb2.ColumnChunk(row_count=2_000, columns=[columns_pb2.Column(name="account_id", text=ids)])

    def requests() -> Iterator[pb.ImportPortfolioRequest]:
        yield pb.ImportPortfolioRequest(header=HEADER)
        while not stopped(0.1):
            yield pb.ImportPortfolioRequest(chunk=chunk)

    with own_channel(address) as channel:
        while not stopped(0.1):
            with suppress(grpc.RpcError):
                PortfolioServiceStub(channel).ImportPortfolio(requests(), timeout=60.0)


def short_deadlines(address: str, stopped: Stopped) -> None:
    """Ask for work, and leave after five milliseconds, a hundred times a second."""
    with own_channel(address) as channel:
        while not stopped(0.1):
            get = PortfolioServiceStub(channel).GetPortfolio
            for call in [get.future(pb.GetPortfolioRequest(), timeout=0.005) for _ in range(10)]:
                call.exception()


ATTACKS: dict[str, Callable[[str, Stopped], None]] = {
    "half-open calls": half_open,
    "stalled streams": stalled_streams,
    "byte flood": byte_flood,
    "short deadlines": short_deadlines,
}


def is_refusal(error: grpc.RpcError) -> bool:
    """Return whether a call was refused for load: by the service, or by HTTP/2 before it came there (REFUSED_STREAM).

    Of the second nothing was begun, and clients ask again by themselves; those here do not, so that all is seen.
    """
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return True
    return error.code() is grpc.StatusCode.UNAVAILABLE and "RST_STREAM with error code 7" in (error.details() or "")


@dataclass
class Seen:
    """Seconds that answers took, and how often there was none, by callers who want to be served."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    failed: list[str] = field(default_factory=list)

    def ask(self, call: Callable[[], object]) -> None:
        """Make a call and note what came."""
        begin = time.perf_counter()
        try:
            call()
        except grpc.RpcError as error:
            if is_refusal(error):
                self.refused += 1
            else:
                self.failed.append(f"{error.code()}: {error.details()}")
        else:
            self.seconds.append(time.perf_counter() - begin)


def probe(connect: Callable[[], grpc.Channel], stopped: Stopped, every: float = 0.02) -> Seen:
    """Ask for the server's health over a connection of its own until told to stop."""
    seen = Seen()
    with connect() as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        while not stopped(every):
            seen.ask(lambda: check(health_pb2.HealthCheckRequest(), timeout=10.0))
    return seen


@contextmanager
def attacked_in_thread(name: str, address: str) -> Iterator[None]:
    """Attack for the time of a block from a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=ATTACKS[name], args=(address, stop.wait))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def attacked(name: str, address: str) -> Iterator[None]:
    """Attack for the time of a block from a process; nothing where the name is empty."""
    if not name:
        yield
        return
    command = [sys.executable, "-m", "harness.siege.attacks", name, address]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            process.stdout.readline()  # it has loaded what it needs
            yield
            if process.poll() is not None:
                raise RuntimeError(f"the attack {name!r} ended by itself")
        finally:
            process.kill()


if __name__ == "__main__":
    os.nice(LEAST_PRIORITY)
    print("attacking", flush=True)
    ATTACKS[sys.argv[1]](sys.argv[2], threading.Event().wait)
