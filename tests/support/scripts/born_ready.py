"""Scripts in processes that are born with the libraries loaded: each is its own, forked from one that has done nothing else.

Loading the server's libraries takes longer than what most scripts do. What a script forgets to load is not noticed here: every
one is started from nothing by ``test_scripts``, and some do their work so in the tests of ``serve`` and of the installed package.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

TIMEOUT_S = 300
LOADED = (
    "collections_opt.application.training.outcome",
    "collections_opt.application.workspace",
    "collections_opt.client.client",
    "collections_opt.datasets.files",
    "collections_opt.reports.comparison.report",
    "collections_opt.service.server.build",
    "collections_opt.service.server.services",
    "collections_opt.cli.common.running",
    "lightgbm",
    "rich.progress",
    "sklearn.metrics",
    "statsmodels.api",
    "typer",
)

BORN_READY = multiprocessing.get_context("forkserver")
"""Starts processes that have the libraries loaded and nothing else of this one."""
BORN_READY.set_forkserver_preload(list(LOADED))


def run_script(script: Path, arguments: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Return how a script ended and what it printed, as ``subprocess.run`` would; killed and raised after ``TIMEOUT_S``."""
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, str(script), *arguments]
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / "out", Path(folder) / "err"]
        process = BORN_READY.Process(target=_work, args=(str(script), list(arguments), str(cwd), environment, said))
        process.start()
        process.join(TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, TIMEOUT_S)
        out, err = (path.read_text("utf-8") if path.exists() else "" for path in said)
        return subprocess.CompletedProcess(command, process.exitcode, out, err)


def _work(script: str, arguments: list[str], cwd: str, environment: dict[str, str], said: list[Path]) -> None:
    """Be the script: its own arguments, folder, environment and output, and its exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for number, path in enumerate(said, start=1):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = io.StringIO()
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    sys.argv[:] = [script, *arguments]
    sys.path.insert(0, str(Path(script).parent))
    code = _run(script)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(script: str) -> int:
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001 - as the interpreter: whatever it is, it is shown and the exit code is 1
        traceback.print_exc()
        return 1
    return 0
