"""What every script answers to --help when none of the project's modules is loaded yet.

A process per script is born with others' libraries alone: loading them 55 times takes longer than all that is asked here.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import runpy
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[3]
OTHERS = (
    "alembic.command",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "grpc",
    "grpc.aio",
    "grpc_health.v1.health",
    "grpc_reflection.v1alpha.reflection",
    "grpc_status.rpc_status",
    "jinja2",
    "joserfc.jwt",
    "jwt",
    "lightgbm",
    "matplotlib.figure",
    "numba",
    "ortools.linear_solver.python.model_builder",
    "ortools.math_opt.python.mathopt",
    "pandas",
    "prometheus_client",
    "psycopg",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pydantic.functional_validators",
    "pydantic.json_schema",
    "pydantic.type_adapter",
    "rich.console",
    "rich.markdown",
    "rich.progress",
    "rich.syntax",
    "rich.traceback",
    "scipy.stats",
    "sklearn.linear_model",
    "sqlalchemy",
    "sqlalchemy.dialects.postgresql.psycopg",
    "starlette.applications",
    "statsmodels.api",
    "structlog",
    "typer",
    "typer.rich_utils",
)


def answer(script: Path) -> tuple[int, str]:
    """Return the exit code of a script asked for help in a process forked now, and all that it said."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        child = os.fork()
        if child == 0:
            _be_script(script, said.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return code, said.read()


def _be_script(script: Path, said: int) -> NoReturn:
    """Be a script and end with its exit code."""
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.stdin = io.StringIO()
    sys.argv[:] = [script.name, "--help"]
    sys.path.insert(0, str(script.parent))
    code = 0
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter: whatever it is, it is shown and the exit code is 1
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Write every named script's exit code and answer as a line of JSON."""
    for library in OTHERS:
        importlib.import_module(library)
    own = sorted(name for name in sys.modules if name.startswith("collections_opt"))
    assert not own, own
    gc.freeze()  # what is loaded stays: no process born here searches it for garbage, which would copy it as well
    print(json.dumps({name: answer(ROOT / "scripts" / name) for name in sys.argv[1:]}))


if __name__ == "__main__":
    main()
