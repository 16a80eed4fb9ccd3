"""Tables side by side, and the page and JSON of a bench under docs/benchmarks."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.benchmarks.support.cases import ROOT, Result

FOLDER = ROOT / "docs" / "benchmarks"
LIBRARIES = ("numpy", "lightgbm", "ortools", "pyarrow", "grpcio", "sqlalchemy")


@dataclass(frozen=True)
class Table:
    """A table: the first column is text, the rest figures already written for people."""

    title: str
    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass
class Report:
    """What a bench found.

    Attributes:
        tables: in the order of the page.
        results: every case, for the JSON.
        remarks: sentences under the tables: what a figure means, a target and whether it was met.
    """

    tables: list[Table] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def side_by_side(title: str, results: Sequence[Result], baseline: str = "", figures: Sequence[str] = ()) -> Table:
    """Return cases as lines: time, ratio of time to the baseline's (or first), peak memory, and figures by name."""
    base = next((r for r in results if r.name == baseline), results[0])
    header = ("case", "seconds", f"time / {base.name}", "peak MB", *figures)
    lines = tuple(
        (
            r.name,
            number(r.seconds),
            f"{r.seconds / base.seconds:.2f}" if base.seconds else "",
            f"{r.peak_bytes / 1e6:,.0f}",
            *(number(r.figures.get(name, "")) for name in figures),
        )
        for r in results
    )
    return Table(title, header, lines)


def by_stage(title: str, result: Result) -> Table:
    """Return the stages of one case as lines: time, share of the whole, peak memory."""
    total = result.seconds or 1.0
    lines = [(s.name, number(s.seconds), f"{s.seconds / total:.0%}", f"{s.peak_bytes / 1e6:,.0f}") for s in result.stages]
    lines.append(("all", number(result.seconds), "100%", f"{result.peak_bytes / 1e6:,.0f}"))
    return Table(title, ("stage", "seconds", "share", "peak MB"), tuple(lines))


def number(value: Any) -> str:
    """Return a figure for people: three or more significant digits, thousands separated; texts as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    cpu = re.search(r"model name\s*:\s*(.+)", _text("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s+(\d+) kB", _text("/proc/meminfo"))
    return {
        "cpu": cpu[1] if cpu else platform.processor() or "unknown processor",
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{int(memory[1]) / 1e6:.0f} GB" if memory else "unknown",
        "python": platform.python_version(),
        "system": platform.system(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def machine_line(facts: dict[str, str]) -> str:
    """Return the machine in one line."""
    libraries = ", ".join(f"{name} {facts[name]}" for name in LIBRARIES)
    return (
        f"{facts['cores']} cores ({facts['cpu']}), {facts['memory']}, {facts['system']}, Python {facts['python']}, {libraries}."
    )


def page(name: str, title: str, introduction: str, command: str, report: Report) -> str:
    """Return the page of a bench as Markdown."""
    parts = [f"# {title}", introduction, f"Measured with `{command}` on {machine_line(machine())}"]
    if any(result.runs > 1 for result in report.results):
        parts[-1] += " Times are medians of the runs, each in a fresh process."
    for table in report.tables:
        parts += [f"## {table.title}", markdown(table), *([table.note] if table.note else [])]
    parts += [f"- {remark}" for remark in report.remarks]
    parts.append(f"All figures: [{name}.json]({name}.json). How to read this page: [benchmarking](../benchmarking.md).")
    return "\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n"


def markdown(table: Table) -> str:
    """Return a table as Markdown."""
    rule = "|".join([" --- ", *[" ---: "] * (len(table.header) - 1)])
    rows = [" | ".join(line) for line in (table.header, *table.lines)]
    return "\n".join([f"| {rows[0]} |", f"|{rule}|", *(f"| {row} |" for row in rows[1:])])


def write(name: str, text: str, report: Report, command: str, folder: Path = FOLDER) -> None:
    """Write the page and the JSON beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"bench": name, "command": command, "machine": machine(), "results": [_plain(r) for r in report.results]}
    (folder / f"{name}.md").write_text(text, encoding="utf-8", newline="\n")
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


def _plain(result: Result) -> dict[str, Any]:
    return {**result.__dict__, "stages": [stage.__dict__ for stage in result.stages]}


def _text(path: str) -> str:
    return Path(path).read_text("utf-8") if Path(path).exists() else ""
