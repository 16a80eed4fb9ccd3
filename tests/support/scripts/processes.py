"""Scripts as people run them, and a server as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from tests.support.scripts.born_ready import run_script

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted(path.name for path in (ROOT / "scripts").glob("*.py"))


def call(name, *arguments):
    """Run a script from the repository's root, as its help says, in a process of its own."""
    return run_script(ROOT / "scripts" / name, [str(argument) for argument in arguments], ROOT)


@contextmanager
def server(data, *flags):
    """Yield the flags that reach a server process over a data folder, with the address of its metrics last where it shows some.

    It ends by a signal, as operators end it.
    """
    Path(data).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-u", str(ROOT / "scripts/serve.py"), "--data", str(data), "--port", "0"]
    with subprocess.Popen(
        [*command, *(flags or ["--insecure-loopback"])], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            reach = ["--address", process.stdout.readline().split()[-1], *([] if flags else ["--insecure-loopback"])]
            if "--metrics-port" in flags:
                reach.append(process.stdout.readline().split()[-1])
            yield reach
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
