"""What every script shares: errors as plain sentences with an exit code, and tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from collections_opt.core.errors import CollectionsError

REFUSED = 2
"""Exit code of a refusal that the caller can act on."""


def run(command: Callable[..., Any]) -> None:
    """Run a typer command; a refusal prints what to do next and exits with ``REFUSED``."""
    try:
        typer.run(command)
    except CollectionsError as error:
        Console(stderr=True, highlight=False).print(f"{error.reason}: {error}", style="red", markup=False)
        sys.exit(REFUSED)


def table(title: str, header: Sequence[str], lines: Sequence[Sequence[str]], text_columns: int = 1) -> Table:
    """Return a table; the first columns are text, the rest figures."""
    result = Table(title=title, title_justify="left")
    for index, name in enumerate(header):
        result.add_column(name, justify="left" if index < text_columns else "right", no_wrap=index == 0)
    for line in lines:
        result.add_row(*line)
    return result
