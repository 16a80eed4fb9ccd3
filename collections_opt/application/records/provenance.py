"""What a ranking record says beside the decision: who asked, when, on which machine with which libraries, and how healthy."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import collections_opt
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.datasets.shipped import shipped

LIBRARIES = ("lightgbm", "numba", "numpy", "ortools", "pyarrow", "scikit-learn", "scipy", "sqlalchemy", "cryptography")
"""Libraries whose version can change a decision or its record."""

VOLATILE = frozenset({"actor", "times", "runtime"})
"""Keys of a record that a second run of the same request need not repeat."""


@cache
def runtime() -> Mapping[str, Any]:
    """Return what this process runs on: code, lock file, libraries, interpreter and processor."""
    lock = shipped("runtime.txt")
    return {
        "code_version": collections_opt.__version__,
        "lock_digest": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else "",
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpu": _cpu(),
    }


def times(received: datetime, decided: datetime, recorded: datetime) -> dict[str, str]:
    """Return when a request came, was decided and went to be recorded, in UTC."""
    named = {"received": received, "decided": decided, "recorded": recorded}
    return {name: moment.astimezone(UTC).isoformat() for name, moment in named.items()}


def health(ranking: Ranking) -> dict[str, Any]:
    """Return what was not as it should be: degraded steps, staleness, and whether the ranking can be replayed and why not."""
    replayable = ranking.assignment.replayable
    hours = ranking.eligibility.hours
    unplanned = 0 if hours is None else int(hours.not_planned(ranking.entries.queue).sum())
    return {
        **({"hours_not_planned_count": unplanned} if unplanned else {}),
        "degraded": [],
        "stale_score_count": 0,
        "replayable": replayable,
        "why_not_replayable": "" if replayable else "the wall-clock guard decided when the search stopped",
    }


def same_environment(recorded: Mapping[str, Any]) -> str:
    """Return how this process differs from the recorded one, in words; empty when code, lock and libraries are the same."""
    now = runtime()
    for name in ("code_version", "lock_digest", "python", "machine"):
        if recorded.get(name) != now[name]:
            return f"{name} was {recorded.get(name) or 'not recorded'}, is {now[name] or 'not known'}"
    before = recorded.get("libraries", {})
    for name, version in now["libraries"].items():
        if before.get(name) != version:
            return f"{name} was {before.get(name, 'not recorded')}, is {version}"
    return ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor()
