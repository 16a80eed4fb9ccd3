"""Siege: what callers get while others want to stop the server.

A real server in a process of its own, one caller with two calls of `ScoreAccounts` (20 accounts) always in flight, and a probe
that asks for the server's health fifty times a second. Beside them comes each attack, from a process of its own on the same two
cores: 200 calls that send headers and no message, opened anew every second; imports that stop within a chunk; ids of a kilobyte
at 20 MB a second without end; a hundred calls a second whose caller leaves after five milliseconds; and calls at four times what
the server can do, from the same caller. Quiet and attack take turns, since the machine does something else beside: goodput is
answered calls a second during an attack beside those of the quiet times before and after it, the median of the rounds. The
attack's own processor time is not taken off, and a machine that others use too shows in the row of nobody.
"""

from __future__ import annotations

import functools
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np

from harness.benchmarks.overload import METHOD, open_loop
from harness.benchmarks.score_accounts import score_request
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import Served, served
from harness.faults.siege import ATTACKS, Seen, attacked, probe

ACCOUNTS, CALLERS, WAIT = 20, 2, 10.0
QUIET, BURST = "nobody", "burst at 4 times"
FIGURES = ("calls / s", "goodput", "p99 ms", "health p99 ms", "health max ms", "failed", "MB", "files")


def besieged(measure: Measure, seconds: float, rounds: int) -> None:
    """Let quiet and every attack take turns."""
    with tempfile.TemporaryDirectory() as name:
        request = score_request(resampled_portfolio(Path(name), ACCOUNTS, seed=7)).SerializeToString()
        with served(Path(name) / "data") as server, server.channel() as channel:
            call = channel.unary_unary(METHOD)
            loop = functools.partial(_loop, call, request, seconds)
            _under("warm-up", server, loop)
            quiet = Times()
            for attack in (*ATTACKS, BURST):
                with measure.stage(attack, server.process):
                    before, attacked_times = quiet.add(_under("", server, loop)), Times()
                    for _ in range(rounds):
                        burst = functools.partial(_burst, call, request, 4 * before, seconds)
                        rate = attacked_times.add(_under(attack, server, burst if attack == BURST else loop))
                        after = quiet.add(_under("", server, loop))
                        attacked_times.goodput.append(2 * rate / (before + after))
                        before = after
                attacked_times.record(measure, attack, server)
            quiet.record(measure, QUIET, server)


@dataclass
class Times:
    """What callers and the probe saw over all rounds."""

    goodput: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    good: Seen = field(default_factory=Seen)
    health: Seen = field(default_factory=Seen)

    def add(self, turn: Turn) -> float:
        """Add a turn; return its answered calls a second."""
        for whole, part in ((self.good, turn.good), (self.health, turn.health)):
            whole.seconds += part.seconds
            whole.refused += part.refused
            whole.failed += part.failed
        self.rates.append(len(turn.good.seconds) / turn.seconds)
        return self.rates[-1]

    def record(self, measure: Measure, name: str, server: Served) -> None:
        """Record the figures of a row."""
        beats = np.array(self.health.seconds) * 1e3
        facts = [float(np.median(self.rates)), float(np.median(self.goodput or [1.0]))]
        facts += [float(np.percentile(self.good.seconds, 99)) * 1e3, float(np.percentile(beats, 99)), float(beats.max())]
        facts += [len(self.good.failed) + len(self.health.failed), measure.stages[-1].peak_bytes / 2**20]
        facts += [len(list(Path(f"/proc/{server.process}/fd").iterdir()))]
        measure.figures |= {f"{name}: {figure}": fact for figure, fact in zip(FIGURES, facts, strict=True)}


@dataclass(frozen=True)
class Turn:
    """What callers and the probe saw in one turn, and how long it took."""

    good: Seen
    health: Seen
    seconds: float


def _loop(call: grpc.UnaryUnaryMultiCallable, request: bytes, seconds: float) -> Seen:
    """Let callers ask one call after the other."""
    seen, end = Seen(), time.perf_counter() + seconds

    def caller(_: int) -> None:
        while time.perf_counter() < end:
            seen.ask(lambda: call(request, timeout=WAIT))

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(caller, range(CALLERS)))
    return seen


def _burst(call: grpc.UnaryUnaryMultiCallable, request: bytes, rate: float, seconds: float) -> Seen:
    load = open_loop(lambda: call.future(request, timeout=WAIT), rate, seconds)
    return Seen(load.latencies, load.refused)


def _under(name: str, server: Served, work: Callable[[], Seen]) -> Turn:
    """Work beside an attack; where the name is of none, beside nobody."""
    stop = threading.Event()
    with attacked(name if name in ATTACKS else "", server.address), ThreadPoolExecutor(1) as pool:
        probing = pool.submit(probe, server.address, stop.wait)
        begin = time.perf_counter()
        good = work()
        took = time.perf_counter() - begin
        stop.set()
        return Turn(good, probing.result(), took)


def bench(options: Options) -> Report:
    """Lay siege to one server by every attack."""
    result = run_case("siege", besieged, options.runs, seconds=1.0 if options.small else 5.0, rounds=2 if options.small else 5)
    figures, names = result.figures, (*ATTACKS, BURST)
    goodput = min(figures[f"{name}: goodput"] for name in names)
    health = max(figures[f"{name}: health p99 ms"] for name in names)
    failed = sum(figures[f"{name}: failed"] for name in names)
    remarks = [
        f"Least goodput: {goodput:.0%} of the quiet server; target at least 90 %: {'met' if goodput >= 0.9 else 'NOT met'}.",
        f"Worst p99 of health: {health:.1f} ms, of the quiet server {figures[f'{QUIET}: health p99 ms']:.1f} ms; target at most "
        f"50 ms: {'met' if health <= 50 else 'NOT met'}.",
        f"Calls neither answered nor refused for load: {failed:.0f}; target 0: {'met' if not failed else 'NOT met'}.",
    ]
    return Report([_table(result)], [result], remarks)


def _table(result: Result) -> Table:
    names = (QUIET, *ATTACKS, BURST)
    lines = tuple((name, *(number(result.figures[f"{name}: {figure}"]) for figure in FIGURES)) for name in names)
    note = "MB: highest resident memory of the server during the attack. Files: its open files after the attack."
    return Table("Callers beside an attack", ("attack", *FIGURES), lines, note)


if __name__ == "__main__":
    main(sys.modules[__name__])
