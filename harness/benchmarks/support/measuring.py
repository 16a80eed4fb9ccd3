"""Wall time and peak memory of the stages of a case, measured inside the process that runs it."""

from __future__ import annotations

import os
import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Stage:
    """One measured stage: wall seconds, and the highest resident memory of the process during it (bytes)."""

    name: str
    seconds: float
    peak_bytes: int


@dataclass
class Measure:
    """What a case records about itself: its stages in order, and figures by name (numbers or short texts)."""

    stages: list[Stage] = field(default_factory=list)
    figures: dict[str, float | int | str] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, process: int | str = "self") -> Iterator[None]:
        """Measure what runs inside; everything outside of stages (setup) is not part of a case's time.

        Memory is that of this process, or of a server by its process id.
        """
        reset_peak(process)
        begin = time.perf_counter()
        yield
        self.stages.append(Stage(name, time.perf_counter() - begin, peak_bytes(process)))

    def as_json(self) -> dict[str, object]:
        """Return the record as plain values."""
        return {"stages": [asdict(stage) for stage in self.stages], "figures": self.figures}


def reset_peak(process: int | str = "self") -> None:
    """Forget the highest resident memory so far, of this process or of a child by id, where the system can (Linux)."""
    path = Path(f"/proc/{process}/clear_refs")
    if path.exists():
        path.write_text("5")


def peak_bytes(process: int | str = "self") -> int:
    """Return the highest resident memory in bytes since the last reset (elsewhere than Linux: of this process, since its start).

    Not ``ru_maxrss`` where it can be helped: a process started by a large one inherits the large one's maximum there.
    """
    path = Path(f"/proc/{process}/status")
    if path.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", path.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def cpu_seconds(process: int | str = "self") -> float:
    """Return the processor time that a process has used so far, 0 where the system does not tell (elsewhere than Linux)."""
    path = Path(f"/proc/{process}/stat")
    if not path.exists():
        return 0.0
    user, system = path.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
