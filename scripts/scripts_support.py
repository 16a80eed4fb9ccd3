"""What every script shares: the data folder, errors as plain sentences with an exit code, progress and tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from collections_opt.application.workspace import Workspace, open_workspace
from collections_opt.core.assignment import ProgressCallback, SolveProgress
from collections_opt.core.errors import CollectionsError

REFUSED = 2
"""Exit code of a refusal that the caller can act on."""

DataOption = Annotated[Path, typer.Option(help="Data folder with ledger and objects; made on first use.")]
ModelsOption = Annotated[Path, typer.Option(help="Folder of model versions.")]


def run(command: Callable[..., Any]) -> None:
    """Run a typer command; a refusal prints what to do next and exits with ``REFUSED``."""
    try:
        typer.run(command)
    except CollectionsError as error:
        Console(stderr=True, highlight=False).print(f"{error.reason}: {error}", style="red", markup=False)
        sys.exit(REFUSED)


def now() -> datetime:
    """Return the time of day, UTC; the only clock of the scripts."""
    return datetime.now(UTC)


@contextmanager
def opened(data: Path, models: Path) -> Iterator[Workspace]:
    """Open a data folder for the time of a command."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr), wrapper_class=structlog.make_filtering_bound_logger("warning")
    )
    workspace = open_workspace(data, models, now)
    try:
        yield workspace
    finally:
        workspace.close()


@contextmanager
def progress_bar(title: str) -> Iterator[ProgressCallback]:
    """Show progress on standard error for the time of a step."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)

        def report(progress: SolveProgress) -> None:
            bar.update(task, completed=progress.fraction, description=f"{title}: {progress.stage}")

        yield report


def table(title: str, header: Sequence[str], lines: Sequence[Sequence[str]], text_columns: int = 1) -> Table:
    """Return a table; the first columns are text, the rest figures."""
    result = Table(title=title, title_justify="left")
    for index, name in enumerate(header):
        result.add_column(name, justify="left" if index < text_columns else "right", no_wrap=index == 0)
    for line in lines:
        result.add_row(*line)
    return result
