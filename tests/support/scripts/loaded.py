"""What a process that scripts are forked from has done: every command is loaded, what ships is read, later searches pass it over.

Nothing here starts a thread: only what one thread does survives a fork.
"""

from __future__ import annotations

import gc
import tempfile
import threading
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from collections_opt.application.workspace import open_workspace
from collections_opt.cli.main import commands
from tests.support.databases import begin_migrated

MODELS = Path(__file__).parents[3] / "models"
OTHERS = (
    "google.protobuf.json_format",
    "grpc._channel",
    "grpc._interceptor",
    "lightgbm",
    "matplotlib.figure",
    "pyarrow.csv",
    "pyarrow.pandas_compat",
    "rich.markdown",
    "rich.progress",
    "sklearn.metrics",
    "statsmodels.api",
    "typer._adapters",
    "typer._click.decorators",
    "typer.rich_utils",
)
"""What commands load when they come to it."""


def load() -> None:
    """Load it; a data folder opened once has read the shipped settings and made the schema that new ledgers begin with."""
    for library in OTHERS:
        import_module(library)
    for path in commands().values():
        import_module(f"collections_opt.cli.{path.parent.name}.{path.stem}")
    begin_migrated()
    with tempfile.TemporaryDirectory() as folder:
        open_workspace(Path(folder) / "data", MODELS, lambda: datetime(2026, 11, 1, tzinfo=UTC)).close()
    assert threading.active_count() == 1, threading.enumerate()
    gc.collect()
    gc.freeze()  # a process that searches all this for garbage copies it first, which costs more than most scripts


load()
