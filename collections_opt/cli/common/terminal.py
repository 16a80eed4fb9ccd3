"""What commands print: tables, warnings and progress, in which no text of people acts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress
from collections_opt.core.ranking.ranking_summary import RankingSummary
from collections_opt.core.shown_text import visible

if TYPE_CHECKING:
    pass

PIPED_WIDTH = 140
"""Columns of output that goes to a file or another program."""


@contextmanager
def progress_bar(title: str) -> Iterator[ProgressCallback]:
    """Show progress on standard error for the time of a step."""
    with PlainProgress() as bar:
        task = bar.add_task(title, total=1.0)

        def report(progress: SolveProgress) -> None:
            gap = "" if progress.gap is None else f", at most {progress.gap:.1g} from the best"
            bar.update(task, completed=progress.fraction, description=f"{title}: {progress.stage}{gap}")

        yield report


class PlainConsole(Console):
    """Prints texts as they are: no markup is read in them, and no character in them acts on the terminal or hides."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as rich prints it: tables, titles and lines all come through here."""
        return super().render_str(visible(text, lines=True), **options)


class PlainProgress(Progress):
    """A bar on standard error whose descriptions are texts as they are; rich reads markup in them, and stops at what is none."""

    def __init__(self) -> None:
        super().__init__(console=PlainConsole(stderr=True), transient=True)

    @classmethod
    def get_default_columns(cls) -> tuple[ProgressColumn, ...]:
        """Return rich's columns with a plain description."""
        return (_Description("", style="progress.description"), *super().get_default_columns()[1:])


class _Description(TextColumn):
    def render(self, task: Task) -> Text:
        return Text(visible(task.description), style=self.style)


def terminal(record: bool = False) -> PlainConsole:
    """Return where scripts print: as wide as the terminal, and wide enough for every table where there is none.

    ``record`` keeps what is printed, for a picture.
    """
    wide = sys.stdout.isatty() or "COLUMNS" in os.environ
    return PlainConsole(record=record) if wide else PlainConsole(width=PIPED_WIDTH, record=record)


def show_warnings(console: Console, summary: RankingSummary) -> None:
    """Print what a person must know before trusting a ranking."""
    for warning in summary.warnings:
        console.print(f"WARNING: {warning}", style="bold yellow", highlight=False, markup=False)


def table(title: str, header: Sequence[str], lines: Sequence[Sequence[str]], text_columns: int = 1) -> Table:
    """Return a table; the first columns are text, and so is any later one that holds words; the rest are figures."""
    result = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for index, name in enumerate(header):
        figures = index >= text_columns and all(line[index][:1] in "0123456789+-" for line in lines)
        widest_word = max(map(len, name.split()), default=0)
        result.add_column(
            name,
            justify="right" if figures else "left",
            no_wrap=index == 0,
            overflow="fold",
            min_width=widest_word,
        )
    for line in lines:
        result.add_row(*map(visible, line))
    return result
