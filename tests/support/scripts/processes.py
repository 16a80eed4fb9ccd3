"""Scripts as people run them, and a server as a process of its own."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path

from tests.support.scripts.born_ready import run_script, start_script

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
    arguments = ["--data", str(data), "--port", "0", *map(str, flags or ["--insecure-loopback"])]
    process, printed = start_script(ROOT / "scripts/serve.py", arguments, ROOT)
    with printed:
        try:
            reach = ["--address", printed.readline().split()[-1], *([] if flags else ["--insecure-loopback"])]
            if "--metrics-port" in flags:
                reach.append(printed.readline().split()[-1])
            yield reach
            os.kill(process.pid, signal.SIGTERM)
            process.join(timeout=30)
            assert process.exitcode == 0
        finally:
            process.kill()
            process.join()
