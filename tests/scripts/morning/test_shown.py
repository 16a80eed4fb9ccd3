"""Texts of people on a terminal: shown as they are, never obeyed."""

from __future__ import annotations

import io
import sys

import pytest
from rich.progress import Progress

from collections_opt.cli.common import terminal

HOSTILE = {"[/red]x": "[/red]x", "\x1b[31mred": "\\x1b[31mred", "a\u202eb": "a\\u202eb"}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_a_text_of_people_is_shown_and_not_obeyed(monkeypatch, text, shown):
    stream = io.StringIO()
    terminal.PlainConsole(file=stream).print(text)
    monkeypatch.setattr(sys, "stderr", progress := io.StringIO())
    with terminal.PlainProgress() as bar:
        bar.update(bar.add_task("begin"), description=f"rank {text}")
        bar.refresh()
        row = bar.make_tasks_table(bar.tasks)
    terminal.PlainConsole(file=progress, width=200).print(row)
    for written in (stream.getvalue(), progress.getvalue()):
        assert shown in written
        assert text.isprintable() or text not in written


def test_a_bar_that_obeys_would_be_noticed():
    """The planted bug: rich's own bar."""
    bar = Progress(console=terminal.PlainConsole(file=io.StringIO()))
    bar.add_task("rank [/red]x")
    with pytest.raises(Exception, match="doesn't match any open tag"):
        bar.make_tasks_table(bar.tasks)
