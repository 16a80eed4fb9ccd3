"""Runs a case in a process of its own, several times, and takes medians."""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.benchmarks.support.measuring import Measure, Stage

ROOT = Path(__file__).parents[3]


class CaseError(RuntimeError):
    """A case ended with an error or ran out of time."""


@dataclass(frozen=True)
class Result:
    """Medians of the runs of one case.

    Attributes:
        name: of the case, for people.
        runs: how often it ran.
        seconds: wall time of all stages together, median.
        spread_seconds: fastest and slowest run.
        peak_bytes: highest resident memory during any stage, median.
        stages: median time and memory by stage.
        figures: what the case recorded; the median of numbers, the last of texts.
    """

    name: str
    runs: int
    seconds: float
    spread_seconds: tuple[float, float]
    peak_bytes: int
    stages: tuple[Stage, ...]
    figures: dict[str, Any]


def run_case(name: str, case: Callable[..., None], runs: int = 3, timeout_seconds: float = 3_600.0, **arguments: Any) -> Result:
    """Run ``case(measure, **arguments)``, a function at the top of a module, in a fresh process ``runs`` times.

    Raises:
        CaseError: with the end of what the process printed.
    """
    records = []
    for number in range(runs):
        print(f"  {name}: run {number + 1} of {runs}", file=sys.stderr, flush=True)
        records.append(_run_once(name, case, timeout_seconds, arguments))
    totals = [sum(stage["seconds"] for stage in record["stages"]) for record in records]
    peaks = [max((stage["peak_bytes"] for stage in record["stages"]), default=0) for record in records]
    stages = tuple(_median_stages([record["stages"] for record in records]))
    figures = {key: _middle([record["figures"][key] for record in records]) for key in records[0]["figures"]}
    spread = (min(totals), max(totals))
    return Result(name, runs, statistics.median(totals), spread, int(statistics.median(peaks)), stages, figures)


def _run_once(name: str, case: Callable[..., None], timeout_seconds: float, arguments: dict[str, Any]) -> dict[str, Any]:
    module = importlib.import_module(case.__module__)
    spec = module.__spec__.name if module.__spec__ else case.__module__  # run with -m, the module itself is called __main__
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", __name__, spec, case.__name__, json.dumps(arguments), str(answer)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
        try:
            ended = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise CaseError(f"{name}: not done after {timeout_seconds:g} s") from error
        if ended.returncode:
            raise CaseError(f"{name}: {ended.stderr[-2_000:]}")
        return json.loads(answer.read_text("utf-8"))


def _median_stages(runs: list[list[dict[str, Any]]]) -> Iterator[Stage]:
    """Yield each stage by the runs that saw it, in order: where progress is looked at, a short stage may go unseen in one."""
    longest = max(runs, key=len)
    for at, stage in enumerate(longest):
        nth = sum(one["name"] == stage["name"] for one in longest[:at])
        same = [[one for one in run if one["name"] == stage["name"]] for run in runs]
        yield _median_stage([each[nth] for each in same if len(each) > nth])


def _median_stage(same: list[dict[str, Any]]) -> Stage:
    seconds = statistics.median(stage["seconds"] for stage in same)
    return Stage(same[0]["name"], seconds, int(statistics.median(stage["peak_bytes"] for stage in same)))


def _middle(values: list[Any]) -> Any:
    return values[-1] if isinstance(values[-1], str) else statistics.median(values)


def _main(module: str, function: str, arguments: str, answer: str) -> None:
    measure = Measure()
    getattr(importlib.import_module(module), function)(measure, **json.loads(arguments))
    Path(answer).write_text(json.dumps(measure.as_json()), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
