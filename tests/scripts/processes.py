"""Scripts as people run them, and a server as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUPPORT = "_support"
SCRIPTS = sorted(path.name for path in (ROOT / "scripts").glob("*.py") if not path.stem.endswith(SUPPORT))


def call(name, *arguments):
    """Run a script from the repository's root, as its help says."""
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False, env=environment)


@contextmanager
def server(data, *flags):
    """Yield the flags that reach a server process over a data folder, with the address of its metrics last where it shows some.

    It ends by a signal, as operators end it.
    """
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
