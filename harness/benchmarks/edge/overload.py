"""Overload: what gets done at twice the load.

`ScoreAccounts` with 20 accounts against a real server in a process of its own. First callers that wait for their answer find
the saturation: the calls per second that get done with as many callers as one caller's places for work. Then calls arrive at a
steady rate whatever becomes of those before, at 0.8 of the saturation, at it, and at twice it. A server that queued without
bound would do less the more it is asked; this one lets a few wait a moment (30 ms), refuses the rest with a delay to try again
(RESOURCE_EXHAUSTED), and what it accepts it does in time. The load comes from a process on the same two cores, which takes its
share of them. The processor time of the server per accepted call shows what refusing costs, also on a machine that does
something else beside.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc

from collections_opt.service.access.methods import CallClass
from collections_opt.service.server.places import DEFAULT_PLACES, caller_share
from harness.benchmarks.scoring.score_accounts import score_request
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure, cpu_seconds
from harness.benchmarks.support.portfolios import resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import Load, closed_loop, served
from harness.siege.attacks import is_refusal

ACCOUNTS = 20
WAIT = 5.0
RATES = (0.8, 1.0, 2.0)
METHOD = "/collections_opt.api.v1.ScoringService/ScoreAccounts"
FIGURES = ("p50 ms", "p95 ms", "p99 ms", "calls / s", "server CPU ms / call")


def open_loop(start: Callable[[], grpc.Future], rate: float, seconds: float) -> Load:
    """Start calls at a steady rate and return what became of them; late arrivals are caught up with, not dropped."""
    latencies: list[float] = []
    refused: list[grpc.StatusCode] = []
    others: list[BaseException] = []
    lock, open_calls = threading.Lock(), threading.Semaphore(0)

    def done(call: grpc.Future, begin: float) -> None:
        took, error = time.perf_counter() - begin, call.exception()
        with lock:
            if error is None:
                latencies.append(took)
            elif is_refusal(error):
                refused.append(error.code())
            else:
                others.append(error)
        open_calls.release()

    count, first = int(rate * seconds), time.perf_counter()
    for number_of_call in range(count):
        wait = first + number_of_call / rate - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        begin = time.perf_counter()
        start().add_done_callback(lambda call, begin=begin: done(call, begin))
    took = time.perf_counter() - first
    for _ in range(count):
        open_calls.acquire()
    if others:
        raise RuntimeError(f"{len(others)} calls ended otherwise, such as {others[0]}")
    return Load(latencies, len(refused), took)


def overloaded(measure: Measure, seconds: float) -> None:
    """Find the saturation, then load the server at each rate."""
    with tempfile.TemporaryDirectory() as name:
        request = score_request(resampled_portfolio(Path(name), ACCOUNTS, seed=7)).SerializeToString()
        with served(Path(name) / "data") as server, server.channel() as channel:
            call = channel.unary_unary(METHOD)
            callers = caller_share(DEFAULT_PLACES[CallClass.WORK])
            warm = closed_loop(lambda: call(request, timeout=WAIT), callers, 20 * callers)
            enough = int(len(warm.latencies) / warm.seconds * seconds) // callers * callers
            before = cpu_seconds(server.process)
            with measure.stage("saturation", server.process):
                best = closed_loop(lambda: call(request, timeout=WAIT), callers, enough)
            _record(measure, "saturation", best, cpu_seconds(server.process) - before)
            capacity = len(best.latencies) / best.seconds
            for rate in RATES:
                before = cpu_seconds(server.process)
                with measure.stage(f"at {rate:g}", server.process):
                    load = open_loop(lambda: call.future(request, timeout=WAIT), rate * capacity, seconds)
                _record(measure, f"at {rate:g}", load, cpu_seconds(server.process) - before)


def _record(measure: Measure, name: str, load: Load, server_seconds: float) -> None:
    own = Measure()
    load.record(own)
    own.figures["server CPU ms / call"] = 1e3 * server_seconds / max(1, len(load.latencies))
    measure.figures |= {f"{name}: {figure}": value for figure, value in own.figures.items()}


def bench(options: Options) -> Report:
    """Load one server at every rate."""
    result = run_case("overload", overloaded, options.runs, seconds=2.0 if options.small else 10.0)
    figures = result.figures
    kept = figures["at 2: calls / s"] / figures["saturation: calls / s"]
    slower = figures["at 2: p99 ms"] / figures["at 0.8: p99 ms"]
    remarks = [
        f"Done at twice the load: {kept:.0%} of the saturation; target at least 90 %: {'met' if kept >= 0.9 else 'NOT met'}.",
        f"p99 of accepted calls at twice the load is {slower:.2f} times that at 0.8; target at most 2: "
        f"{'met' if slower <= 2 else 'NOT met'}.",
    ]
    return Report([_table(result)], [result], remarks)


def _table(result: Result) -> Table:
    names = ("saturation", *(f"at {rate:g}" for rate in RATES))
    base = result.figures["saturation: calls / s"]
    lines = tuple(
        (
            name,
            *(number(result.figures[f"{name}: {figure}"]) for figure in FIGURES),
            f"{result.figures[f'{name}: calls / s'] / base:.2f}",
            number(result.figures[f"{name}: refused"]),
        )
        for name in names
    )
    header = ("load", *FIGURES, "done / saturation", "refused")
    return Table("Accepted calls by load", header, lines, "Latencies and calls per second are those of accepted calls.")


if __name__ == "__main__":
    main(sys.modules[__name__])
