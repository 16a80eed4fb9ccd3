"""A file of 500 MB imported.

A CSV in the make-up of `examples/book.csv`, every row an account of its own and one in a thousand with a bad cell, read by
its mapping in parts and sent to a real server in a process of its own. The file is read twice: once to check and count, once
to send; the client never holds more than a part. The server sets rows down on disk while they arrive, and holds the portfolio
once while its door checks it, a column at a time beside it. Memory is the highest resident memory of each process.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from collections_opt.client.portfolios import PortfolioParts, send_portfolio
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import open_portfolio
from collections_opt.datasets.settings_files import read_settings
from harness.benchmarks.support.cases import ROOT, Result, run_case
from harness.benchmarks.support.measuring import Measure, peak_bytes, reset_peak
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.benchmarks.support.serving import served

SIZE_MB, SMALL_MB = 500, 40
CLIENT_MB, SERVER_MB, SERVER_AIM_MB = 1_000, 2_000, 1_500
"""Bounds on the memory of a file of 500 MB, whatever its columns hold: about 3.4 million accounts."""
EXAMPLES = ROOT / "examples"


def write_large(path: Path, megabytes: int) -> int:
    """Write a file of at least so many megabytes (10^6 bytes); return its rows."""
    head, *lines = (EXAMPLES / "book.csv").read_text(encoding="utf-8").splitlines()
    good = [line.partition(",")[2] for line in lines if ",N,N,N," in line and ",," not in line and "2026-12" not in line]
    written = count = 0
    with path.open("w", encoding="utf-8") as file:
        written += file.write(head + "\n")
        while written < megabytes * 1_000_000:
            block = [f"A-{count + n:09d},{good[(count + n) % len(good)]}" for n in range(10_000)]
            for n in range(0, 10_000, 1_000):
                block[n] = block[n].replace(",N,N,N,", ",maybe,N,N,")
            written += file.write("\n".join(block) + "\n")
            count += 10_000
    return count


def case(measure: Measure, megabytes: int) -> None:
    """Check, send and store one file."""
    mapping = read_settings(EXAMPLES / "book.toml", FileMapping)
    with tempfile.TemporaryDirectory() as name, served(Path(name) / "data") as server, server.client() as client:
        path = Path(name) / "large.csv"
        rows = write_large(path, megabytes)
        with measure.stage("check and count"):
            first = open_portfolio(path, mapping)
            faults = sum(part.faults.count for part in first.parts)
        parts = PortfolioParts(first.empty, first.counts.kept_count, lambda: open_portfolio(path, mapping).parts)
        reset_peak(server.process)
        with measure.stage("send and store"):
            stored = send_portfolio(client, "large", parts).portfolio
        if not (
            stored.row_count == rows == stored.accepted_count + stored.quarantined_count and stored.quarantined_count == faults
        ):
            raise RuntimeError(f"{rows} rows, {faults} faults: {stored}")
        measure.figures.update(
            megabytes=path.stat().st_size / 1e6,
            rows=rows,
            quarantined=stored.quarantined_count,
            client_mb=max(stage.peak_bytes for stage in measure.stages) / 1e6,
            server_mb=peak_bytes(server.process) / 1e6,
        )


def bench(options: Options) -> Report:
    """Import a small file and a large one: the client's memory should not follow the file's size."""
    sizes = [SMALL_MB // 4, SMALL_MB] if options.small else [SMALL_MB, SIZE_MB]
    results = [run_case(f"{size} MB", case, 1, megabytes=size) for size in sizes]
    header = ("file", "rows", "quarantined", "check s", "send and store s", "client peak MB", "server peak MB")
    small, large = (result.figures for result in results)
    client, server = (f"{large[name] / small[name]:.2f}" for name in ("client_mb", "server_mb"))
    remarks = [
        "One run of each size.",
        f"Bounds: the client under {CLIENT_MB:,} MB ({_kept(large['client_mb'] < CLIENT_MB)}), the server under {SERVER_MB:,} MB "
        f"({_kept(large['server_mb'] < SERVER_MB)}).",
        f"The aim for the server is {SERVER_AIM_MB:,} MB ({_kept(large['server_mb'] < SERVER_AIM_MB)}).",
        f"From the smaller file to the larger the client takes {client} times the memory, the server {server} times.",
    ]
    return Report([Table("Importing", header, tuple(map(_row, results)))], results, remarks)


def _kept(kept: bool) -> str:
    return "kept" if kept else "MISSED"


def _row(result: Result) -> tuple[str, ...]:
    figures, (check, send) = result.figures, (stage.seconds for stage in result.stages)
    counts = (f"{figures['rows']:,.0f}", f"{figures['quarantined']:,.0f}")
    return (result.name, *counts, number(check), number(send), number(figures["client_mb"]), number(figures["server_mb"]))


if __name__ == "__main__":
    main(sys.modules[__name__])
