"""What each file of tests costs: processor seconds, its processes' too, which a busy machine stretches less than wall time."""

from __future__ import annotations

import contextlib
from collections import Counter

import psutil
import pytest

SHOWN = 20
COST = "processor_seconds"


class Costs:
    """A plugin that measures in whatever process runs tests, and adds up, file by file, where results are reported."""

    def __init__(self) -> None:
        self.by_file: Counter[str] = Counter()
        self._spent = 0.0
        self._ends_file = False

    def pytest_collection_finish(self):
        """Begin: what collecting cost is no file's."""
        self._spent = spent()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        """Notice the last test of a file."""
        self._ends_file = nextitem is None or nextitem.path != item.path
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Write on a file's last report what was spent since the file before ended."""
        report = yield
        if call.when == "teardown" and self._ends_file:
            before, self._spent = self._spent, spent()
            report.user_properties = [*report.user_properties, (COST, self._spent - before)]
        return report

    def pytest_runtest_logreport(self, report):
        """Add a report to its file."""
        for name, value in report.user_properties:
            if name == COST:
                self.by_file[report.nodeid.partition("::")[0]] += value

    def pytest_terminal_summary(self, terminalreporter):
        """Show the dearest files, where several ran."""
        if len(self.by_file) < 2:
            return
        total = sum(self.by_file.values())
        terminalreporter.section(f"{total:.0f} processor seconds in {len(self.by_file)} files; the dearest")
        for name, seconds in self.by_file.most_common(SHOWN):
            terminalreporter.write_line(f"{seconds:8.1f}  {name}")


def spent() -> float:
    """Return the processor seconds of this process and all that it started, which are alive or were waited for."""
    own = psutil.Process()
    seconds = 0.0
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # it ended just now
            seconds += sum(process.cpu_times()[:4])
    return seconds
