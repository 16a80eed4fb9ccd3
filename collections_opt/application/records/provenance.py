"""What a ranking record says beside the decision: who asked, when, on which machine with which libraries, and how healthy."""

from __future__ import annotations

import hashlib
import platform
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

import collections_opt
from collections_opt.application.records.ranking_facts import RecordedTimes, Runtime
from collections_opt.application.records.scoring_facts import Health
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.datasets.shipped import shipped

LIBRARIES = ("lightgbm", "numba", "numpy", "ortools", "pyarrow", "scikit-learn", "scipy", "sqlalchemy", "cryptography")
"""Libraries whose version can change a decision or its record."""


@cache
def runtime() -> Runtime:
    """Return what this process runs on: code, lock file, libraries, interpreter and processor."""
    lock = shipped("runtime.txt")
    return Runtime(
        code_version=collections_opt.__version__,
        lock_digest=hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else "",
        libraries={name: metadata.version(name) for name in LIBRARIES},
        python=platform.python_version(),
        machine=platform.machine(),
        cpu=_cpu(),
    )


def times(received: datetime, decided: datetime, recorded: datetime) -> RecordedTimes:
    """Return when a request came, was decided and went to be recorded, in UTC."""
    return RecordedTimes(received.astimezone(UTC), decided.astimezone(UTC), recorded.astimezone(UTC))


def health(ranking: Ranking) -> Health:
    """Return what was not as it should be of a ranking by itself: hours not planned, and why it cannot be replayed."""
    replayable = ranking.assignment.replayable
    hours = ranking.eligibility.hours
    unplanned = 0 if hours is None else int(hours.not_planned(ranking.entries.queue).sum())
    why_not = "" if replayable else "the wall-clock guard decided when the search stopped"
    return Health(replayable=replayable, why_not_replayable=why_not, hours_not_planned_count=unplanned)


MOST_SKEW_SECONDS = 60
"""Servers of one ledger may differ by so much before a record says that a clock went back."""


def clock_went_back(last: str, decided: datetime) -> int:
    """Return by how many seconds a decision seems to come before the record before it; 0 within what clocks may differ.

    Args:
        last: when the last ranking was recorded, ISO 8601; "" for none.
        decided: when this one was decided.
    """
    seconds = int((datetime.fromisoformat(last) - decided).total_seconds()) if last else 0
    return seconds if seconds > MOST_SKEW_SECONDS else 0


def same_environment(recorded: Runtime) -> str:
    """Return how this process differs from the recorded one, in words; empty when code, lock and libraries are the same."""
    now = runtime()
    for name in ("code_version", "lock_digest", "python", "machine"):
        before, is_now = getattr(recorded, name), getattr(now, name)
        if before != is_now:
            return f"{name} was {before or 'not recorded'}, is {is_now or 'not known'}"
    for name, version in now.libraries.items():
        if recorded.libraries.get(name) != version:
            return f"{name} was {recorded.libraries.get(name, 'not recorded')}, is {version}"
    return ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor()
