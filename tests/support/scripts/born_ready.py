"""Scripts in processes that are born with the libraries loaded: each is its own, forked from one that no script ran in.

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
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NoReturn, TextIO

TIMEOUT_S = 300
BORN_READY = multiprocessing.get_context("forkserver")
"""Starts processes that have the libraries loaded and nothing else of this one."""
BORN_READY.set_forkserver_preload(["tests.support.scripts.loaded", __name__])


def run_script(script: Path, arguments: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Return how a script ended and what it printed, as ``subprocess.run`` would; killed and raised after ``TIMEOUT_S``."""
    command = [sys.executable, str(script), *arguments]
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / "out", Path(folder) / "err"]
        process = BORN_READY.Process(target=_into_files, args=(str(script), list(arguments), str(cwd), _environment(), said))
        process.start()
        process.join(TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, TIMEOUT_S)
        out, err = (path.read_text("utf-8") if path.exists() else "" for path in said)
        return subprocess.CompletedProcess(command, process.exitcode, out, err)


def start_script(script: Path, arguments: Sequence[str], cwd: Path) -> tuple[BaseProcess, TextIO]:
    """Return a script that runs, and what it prints, to be read line by line; both are the caller's to end."""
    reader, writer = BORN_READY.Pipe(duplex=False)
    process = BORN_READY.Process(target=_into_pipe, args=(str(script), list(arguments), str(cwd), _environment(), writer))
    process.start()
    writer.close()
    printed = os.fdopen(os.dup(reader.fileno()), encoding="utf-8")
    reader.close()
    return process, printed


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "COLUMNS"}


def _into_files(script: str, arguments: list[str], cwd: str, environment: dict[str, str], said: list[Path]) -> None:
    """Be the script, whose output and errors go to files."""
    for number, path in enumerate(said, start=1):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    _be(script, arguments, cwd, environment)


def _into_pipe(script: str, arguments: list[str], cwd: str, environment: dict[str, str], printed: Connection) -> None:
    """Be the script, whose output goes into a pipe; its errors are shown where the tests run."""
    os.dup2(printed.fileno(), 1)
    printed.close()
    _be(script, arguments, cwd, environment)


def _be(script: str, arguments: list[str], cwd: str, environment: dict[str, str]) -> NoReturn:
    """Be the script: its own arguments, folder, environment and exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # said by the environment, or looked for, as in any other process
    os.chdir(cwd)
    sys.stdin = io.StringIO()
    sys.stdout, sys.stderr = (os.fdopen(number, "w", 1, encoding="utf-8", closefd=False) for number in (1, 2))
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
