"""Results of long benches kept case by case, so that a run that is cut off goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.benchmarks.support.cases import ROOT, Result, run_case
from harness.benchmarks.support.measuring import Stage

KEPT = ROOT / "var" / "benchmarks"


def kept_case(bench: str, name: str, case: Callable[..., None], resume: bool, folder: Path = KEPT, **arguments: Any) -> Result:
    """Run a case once and keep its result; with ``resume`` take what an earlier run with the same arguments kept."""
    held = held_case(bench, name, case, folder, **arguments) if resume else None
    if held is not None:
        return held
    path = folder / bench / f"{name}.json"
    wanted = {"case": case.__name__, "arguments": json.loads(json.dumps(arguments))}
    result = run_case(name, case, 1, **arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"of": wanted, "result": asdict(result)}, indent=1)
    part = path.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)
    return result


def held_case(bench: str, name: str, case: Callable[..., None], folder: Path = KEPT, **arguments: Any) -> Result | None:
    """Return what an earlier run with the same arguments kept; None where it kept nothing."""
    path = folder / bench / f"{name}.json"
    if not path.exists():
        return None
    held = json.loads(path.read_text("utf-8"))
    same = held["of"] == {"case": case.__name__, "arguments": json.loads(json.dumps(arguments))}
    return _result(held["result"]) if same else None


def _result(held: dict[str, Any]) -> Result:
    stages = tuple(Stage(**stage) for stage in held.pop("stages"))
    spread = held.pop("spread_seconds")
    return Result(**held, spread_seconds=(spread[0], spread[1]), stages=stages)
