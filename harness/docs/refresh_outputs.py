"""Writes the outputs of scripts into the pages of docs that show them: ``python -m harness.docs.refresh_outputs``.

A page marks an output with the comment ``<!-- output: scripts/NAME.py ARGUMENTS -->`` before a text block; the script runs in
process over a fresh data folder in which the bundled portfolio was ranked.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path

from tests.support.scripts.processes import ROOT, call

MARK = re.compile(r"(<!-- output: scripts/(?P<name>\w+\.py) (?P<arguments>[^\n]*?) -->\n```text\n).*?(?=```)", re.DOTALL)

REQUEST_ID = "5f0c7c4e-58a3-4a47-9f0a-6a3cf3a0b001"
"""Of the ranking that the outputs are about, so that its id does not change from one refresh to the next."""


WITHOUT_DATA = frozenset({"strategy_effect.py"})
"""Scripts that open no data folder."""


def refreshed(text: str, data: Path) -> str:
    """Return a page with every marked output as the script prints it."""

    def output(found: re.Match[str]) -> str:
        folder = () if found["name"] in WITHOUT_DATA else ("--data", data)
        return found[1] + printed(found["name"], *shlex.split(found["arguments"]), *folder)

    return MARK.sub(output, text)


def printed(name: str, *arguments: object) -> str:
    """Return what a script prints, without trailing spaces.

    Raises:
        RuntimeError: when the script fails.
    """
    ended = call(name, *arguments)
    if ended.returncode:
        raise RuntimeError(f"{name}: {ended.stderr}")
    lines = [line.rstrip() for line in ended.stdout.rstrip().splitlines()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Refresh every page that shows an output."""
    pages = [page for page in sorted((ROOT / "docs").glob("*.md")) if MARK.search(page.read_text("utf-8"))]
    with tempfile.TemporaryDirectory() as folder:
        printed("rank.py", "--data", folder, "--request-id", REQUEST_ID)
        for page in pages:
            page.write_text(refreshed(page.read_text("utf-8"), Path(folder)), encoding="utf-8", newline="\n")
            print(f"refreshed {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
