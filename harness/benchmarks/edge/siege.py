"""Siege: what callers get while others want to stop the server, or to see what is not theirs.

A real server in a process of its own, one caller with two calls of `ScoreAccounts` (20 accounts) always in flight, and a probe
that asks for the server's health fifty times a second. Beside them comes each attack, from a process of its own: 200 calls that
send headers and no message, opened anew every second; imports that stop within a chunk; ids of a kilobyte at 20 MB a second
without end; a hundred calls a second whose caller leaves after five milliseconds; and calls at four times what the server can do,
from the same caller. A second server asks for certificates by name and for tokens. To it come ids that act (markup, escapes of
terminals, letters that run backwards, formulas, paths, NUL, SQL, 10 kB) in every text of every method; forged and foreign tokens;
foreign certificates; and every method asked for a book out of a token's scope, some thirty a second. What these got and must not
get (an answer, borrowers' data, an unexpected error, a refusal that acts) is a leak.

Quiet and attack take turns, since the machine does something else beside: goodput is answered calls a second during an attack
beside those of the quiet times before and after it, the median of the rounds. An attack comes from elsewhere: the server has one
core by itself, quiet or not; callers, probe and attackers share the others, attackers with the least priority. A machine that
others use too shows in the row of nobody. `--seconds` sets the length of a turn (3); after eight minutes no further round begins,
and the page says how many each attack had.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from collections_opt.core.actors import ActorRole
from collections_opt.wire.callers.identity import TOKEN_KEY
from harness.benchmarks.edge.overload import METHOD, open_loop
from harness.benchmarks.scoring.score_accounts import score_request
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import cores_apart, served
from harness.siege.attacks import ATTACKS, Seen, attacked, own_channel, probe
from harness.siege.intruders import INTRUDERS, Intrusion, Secured, intruding
from harness.siege.secured import fill, flags, make_keys, opened

ACCOUNTS, CALLERS, WAIT = 20, 2, 10.0
AT_MOST_SECONDS = 400.0
"""After so long no further round begins; with what was begun, servers and plants, a run stays below eight minutes."""
MEMORY_MIB = 1_024
"""What a besieged server may hold: twice what it holds by itself, and the 512 MiB of calls whose messages are whole."""
QUIET, QUIET_GUARDED, BURST = "nobody", "nobody, at the guarded server", "burst at 4 times"
NAMES = (QUIET, *ATTACKS, BURST, QUIET_GUARDED, *INTRUDERS)
FIGURES = ("rounds", "calls / s", "goodput", "p99 ms", "health p99 ms", "health max ms", "failed", "leaks", "sent", "MB", "files")


@dataclass(frozen=True)
class Target:
    """A server under siege, as its callers reach it."""

    connect: Callable[[], grpc.Channel]
    process: int
    metadata: tuple[tuple[str, str], ...] = ()

    def files(self) -> int:
        """Return how many files and connections the server has open."""
        return len(list(Path(f"/proc/{self.process}/fd").iterdir()))


Attack = Callable[[], AbstractContextManager[Any]]


def besieged(measure: Measure, seconds: float, rounds: int) -> None:
    """Let quiet and every attack take turns, on a plain and on a guarded server."""
    until = time.perf_counter() + AT_MOST_SECONDS
    with tempfile.TemporaryDirectory() as name:
        request = score_request(resampled_portfolio(Path(name), ACCOUNTS, seed=7)).SerializeToString()
        with plain(Path(name) / "plain") as (target, address):
            attacks: dict[str, Attack] = {each: functools.partial(attacked, each, address) for each in ATTACKS}
            attacks[BURST] = nullcontext
            _lay_siege(measure, target, request, QUIET, attacks, seconds, rounds, until)
        with guarded(Path(name) / "guarded") as (target, server):
            found = {each: Intrusion() for each in INTRUDERS}
            attacks = {each: functools.partial(intruding, each, server, found[each]) for each in INTRUDERS}
            _lay_siege(measure, target, request, QUIET_GUARDED, attacks, seconds, rounds, until)
            for each, intrusion in found.items():
                measure.figures |= {f"{each}: leaks": len(intrusion.got), f"{each}: sent": intrusion.sent}
                for line in sorted(intrusion.got):
                    print(f"LEAK: {each}: {line}", file=sys.stderr, flush=True)


@contextmanager
def plain(folder: Path) -> Iterator[tuple[Target, str]]:
    """Yield a server without certificates or tokens, and its address."""
    with cores_apart() as begin_calling, served(folder) as server:
        begin_calling()
        yield Target(functools.partial(own_channel, server.address), server.process), server.address


@contextmanager
def guarded(folder: Path) -> Iterator[tuple[Target, Secured]]:
    """Yield a server over a book that asks for both, as a caller in good faith and as intruders find it."""
    keys = make_keys(folder / "keys")
    with opened(folder) as workspace:
        good, known = fill(workspace)
    with cores_apart() as begin_calling, served(folder / "data", *flags(keys), plaintext=False) as server:
        begin_calling()
        secured = Secured(server.address, keys, good, known)
        token = secured.token(ActorRole.PLATFORM, name="good")
        yield Target(secured.channel, server.process, ((TOKEN_KEY, f"Bearer {token}"),)), secured


def _lay_siege(
    measure: Measure,
    target: Target,
    request: bytes,
    quiet_name: str,
    attacks: dict[str, Attack],
    seconds: float,
    rounds: int,
    until: float,
) -> None:
    with target.connect() as channel:
        call = functools.partial(channel.unary_unary(METHOD), metadata=target.metadata)
        later = functools.partial(channel.unary_unary(METHOD).future, metadata=target.metadata)
        loop = functools.partial(_loop, call, request, seconds)
        _under(nullcontext, target, loop)
        quiet = Times()
        for name, attack in attacks.items():
            with measure.stage(name, target.process):
                times, before = Times(), quiet.add(_under(nullcontext, target, loop))
                for at in range(rounds):
                    if at and time.perf_counter() > until:
                        break
                    burst = functools.partial(_burst, later, request, 4 * before, seconds)
                    rate = times.add(_under(attack, target, burst if name == BURST else loop))
                    after = quiet.add(_under(nullcontext, target, loop))
                    times.goodput.append(2 * rate / (before + after))
                    before = after
            times.record(measure, name, target)
        quiet.record(measure, quiet_name, target)


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

    def record(self, measure: Measure, name: str, target: Target) -> None:
        """Record the figures of a row; where nobody was answered, they are infinite."""
        beats, calls = np.array(self.health.seconds or [np.inf]) * 1e3, np.array(self.good.seconds or [np.inf]) * 1e3
        facts = [len(self.rates), float(np.median(self.rates)), float(np.median(self.goodput or [1.0]))]
        facts += [float(np.percentile(calls, 99)), float(np.percentile(beats, 99)), float(beats.max())]
        facts += [len(self.good.failed) + len(self.health.failed), 0, 0, measure.stages[-1].peak_bytes / 2**20, target.files()]
        measure.figures |= {f"{name}: {figure}": fact for figure, fact in zip(FIGURES, facts, strict=True)}


@dataclass(frozen=True)
class Turn:
    """What callers and the probe saw in one turn, and how long it took."""

    good: Seen
    health: Seen
    seconds: float


def _loop(call: Callable[..., object], request: bytes, seconds: float) -> Seen:
    """Let callers ask one call after the other."""
    seen, end = Seen(), time.perf_counter() + seconds

    def caller(_: int) -> None:
        while time.perf_counter() < end:
            seen.ask(lambda: call(request, timeout=WAIT))

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(caller, range(CALLERS)))
    return seen


def _burst(later: Callable[..., Any], request: bytes, rate: float, seconds: float) -> Seen:
    load = open_loop(lambda: later(request, timeout=WAIT), rate, seconds)
    return Seen(load.latencies, load.refused)


def _under(attack: Attack, target: Target, work: Callable[[], Seen]) -> Turn:
    """Work beside an attack."""
    stop = threading.Event()
    with attack(), ThreadPoolExecutor(1) as pool:
        probing = pool.submit(probe, target.connect, stop.wait)
        begin = time.perf_counter()
        try:
            good = work()
            took = time.perf_counter() - begin
        finally:
            stop.set()
        return Turn(good, probing.result(), took)


def bench(options: Options) -> Report:
    """Lay siege by every attack, once; whatever was missed, the page says so."""
    seconds = options.seconds or (1.0 if options.small else 3.0)
    result = run_case("siege", besieged, 1, seconds=seconds, rounds=1 if options.small else 3)
    figures, names = result.figures, [name for name in NAMES if name not in (QUIET, QUIET_GUARDED)]
    goodput = min(figures[f"{name}: goodput"] for name in names)
    health = max(figures[f"{name}: health p99 ms"] for name in names)
    failed, leaks = (sum(figures[f"{name}: {figure}"] for name in names) for figure in ("failed", "leaks"))
    sent, memory = sum(figures[f"{name}: sent"] for name in INTRUDERS), max(figures[f"{name}: MB"] for name in names)
    quiet = max(figures[f"{name}: health p99 ms"] for name in (QUIET, QUIET_GUARDED))
    remarks = [
        f"Least goodput: {goodput:.0%} of the quiet server; target at least 90 %: {'met' if goodput >= 0.9 else 'NOT met'}.",
        f"Worst p99 of health: {health:.1f} ms, of a quiet server {quiet:.1f} ms; target at most 50 ms: "
        f"{'met' if health <= 50 else 'NOT met'}.",
        f"Calls neither answered nor refused for load: {failed:.0f}; target 0: {'met' if not failed else 'NOT met'}.",
        f"Leaks in {sent:.0f} requests of intruders: {leaks:.0f}; target 0: {'met' if not leaks else 'NOT met'}.",
        f"Most memory: {memory:.0f} MB; bound {MEMORY_MIB} MB: {'met' if memory <= MEMORY_MIB else 'NOT met'}.",
        f"The load of the machine over the last minutes was {os.getloadavg()[1]:.1f}: above {os.cpu_count()}, others shared it.",
        "Planted bugs (places that are kept, tokens, certificates and scopes that nobody checks, refusals that act) are noticed "
        "by `tests/faults/test_siege.py`.",
    ]
    return Report([_table(result)], [result], remarks)


def _table(result: Result) -> Table:
    lines = tuple((name, *(number(result.figures[f"{name}: {figure}"]) for figure in FIGURES)) for name in NAMES)
    note = "MB: highest resident memory of the server during the attack. Files: its open files after the attack."
    return Table("Callers beside an attack", ("attack", *FIGURES), lines, note)


if __name__ == "__main__":
    main(sys.modules[__name__])
