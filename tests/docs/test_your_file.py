"""The page about files names every key of a mapping and every rule of a cell that the code has, and no key that it has not."""

import re
from dataclasses import fields

import pytest

from collections_opt.datasets.files.mappings import (
    ColumnMapping,
    CsvFormat,
    FileMapping,
    Layout,
    NumberFormat,
    OwnMapping,
    Reading,
    Rounding,
    RowFilter,
    Unlisted,
)
from tests.support.scripts.processes import ROOT

PAGE = (ROOT / "docs/how-to/your-file.md").read_text()
SECTIONS = {"### The file": FileMapping, "### `[csv]`": CsvFormat, "### `[numbers]`": NumberFormat, "### `[layout]`": Layout}
SECTIONS |= {"### `[[keep]]`": RowFilter, "### `[columns]`": ColumnMapping}


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_documented_and_no_other(heading):
    section = PAGE[PAGE.index(heading) :].partition("\n")[2].partition("\n### ")[0]
    named = {key for line in section.splitlines() if line.startswith("| `") for key in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert named == {one.name for one in fields(SECTIONS[heading])}


def test_every_key_of_an_own_column_is_documented():
    section = PAGE[PAGE.index("### `[own.NAME]`") :].partition("\n### ")[0]
    named = {key for line in section.splitlines() if line.startswith("| `") for key in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert named == {one.name for one in fields(OwnMapping)} - {one.name for one in fields(ColumnMapping)}


def test_every_reading_rounding_and_rule_is_documented():
    assert all(f"`{one.value}`" in PAGE for kind in (Reading, Rounding, Unlisted) for one in kind)
    sources = (ROOT / "collections_opt/datasets/files").rglob("*.py")
    rules = {rule for path in sources for rule in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', path.read_text())}
    told = {rule for rule in rules if rule.startswith(("NOT_", "NO_SUCH", "AMBIGUOUS", "UNLISTED_CODE", "RAGGED", "QUOTE"))}
    assert {"RAGGED_ROW", "NOT_A_NUMBER", "NO_SUCH_DATE"} <= told - {"NOT_FOUND"}
    assert all(rule in PAGE for rule in told - {"NOT_FOUND"})
