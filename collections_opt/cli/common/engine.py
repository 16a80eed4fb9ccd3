"""The engine that a person names: none, or Spark at a master, for the time of a command."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from collections_opt.core.errors import Reason, refuse

if TYPE_CHECKING:
    from collections_opt.engines import Engine


class EngineName(StrEnum):
    """Where rankings are made."""

    HERE = "here"
    """In this process, by threads."""
    SPARK = "spark"
    """In passes over parts on Spark."""


EngineOption = Annotated[
    EngineName, typer.Option(help="Where rankings are made: here, or spark (needs the extra spark, Java 17).")
]
MasterOption = Annotated[str, typer.Option(help="Spark master with --engine spark: local[2,4], spark://host:7077, yarn.")]
FolderOption = Annotated[
    str,
    typer.Option(help="Path or URL for the engine's parts, which all its machines see; default the folder 'engine' of --data."),
]
DEFAULT_MASTER = "local[*,4]"
"""All cores of this machine, and four tries of a task, as on a cluster."""


@contextmanager
def engine_of(name: EngineName, master: str, folder: str, least_accounts: int = 1) -> Iterator[Engine | None]:
    """Open an engine for the time of a block; None for this process.

    Args:
        name: which.
        master: where Spark is.
        folder: of the parts.
        least_accounts: rankings of fewer accounts are made in this process.

    Raises:
        CollectionsError: INVALID_ARGUMENT when what the engine needs is not installed.
    """
    if name is EngineName.HERE:
        yield None
        return
    if importlib.util.find_spec("pyspark") is None:
        raise refuse(Reason.INVALID_ARGUMENT, "engine", "spark is not installed.", "pip install 'collections-opt[spark]'.")
    if shutil.which("java") is None:
        raise refuse(Reason.INVALID_ARGUMENT, "engine", "spark needs Java, and there is none.", "Install Java 17.")
    # Imported here: a command that asks a remote server needs no arrays.
    from collections_opt.engines.when_needed import SparkWhenNeeded  # noqa: PLC0415

    engine = SparkWhenNeeded(master, folder, least_accounts)
    try:
        yield engine
    finally:
        engine.close()
