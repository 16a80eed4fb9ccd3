"""The lender's own cells of rows at fault, read again from the file: what people look for when they correct it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from collections_opt.core.accounts.row_faults import shown_cell
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.opening.opened import open_file

FIELDS = ("line", "account_id", "column", "cell", "field", "rule", "remedy")
"""Columns of the table of findings that goes back to the sender."""


class Finding(Protocol):
    """A finding as the API tells it."""

    line: int
    account_id: str
    column: str
    field: str
    value: str
    rule: str
    remedy: str


def own_cells(path: Path, mapping: FileMapping, findings: Sequence[Finding]) -> list[str]:
    """Return the cell of each finding as it stands in the file; the finding's own value where no cell of the file says it.

    Raises:
        CollectionsError: as ``open_file``.
    """
    needs = {name: column.needs for name, column in mapping.fed.items() if column.needs}
    wanted = sorted({one.line for one in findings if one.field in needs and one.line})
    columns = tuple(dict.fromkeys(source for one in findings for source in needs.get(one.field, ())))
    cells: dict[tuple[int, str], str] = {}
    for chunk in open_file(path, mapping.csv, mapping.layout, columns).chunks if wanted else ():
        rows = np.flatnonzero(np.isin(chunk.lines, wanted))
        for name in chunk.table.column_names:
            held = chunk.table.column(name).take(rows).to_pylist()
            cells.update(
                ((line, name), "" if cell is None else shown_cell(cell))
                for line, cell in zip(chunk.lines[rows].tolist(), held, strict=True)
            )
    return [_cell(one, needs.get(one.field, ()), cells) for one in findings]


def finding_rows(findings: Sequence[Finding], cells: Sequence[str]) -> list[dict[str, object]]:
    """Return findings as rows of the table that goes back to the sender, under ``FIELDS``."""
    return [
        {
            "line": one.line,
            "account_id": one.account_id,
            "column": one.column,
            "cell": cell,
            "field": one.field,
            "rule": one.rule,
            "remedy": one.remedy,
        }
        for one, cell in zip(findings, cells, strict=True)
    ]


def _cell(finding: Finding, sources: tuple[str, ...], cells: dict[tuple[int, str], str]) -> str:
    named = (finding.column,) if finding.column in sources else sources
    own = [cells[finding.line, name] for name in named if (finding.line, name) in cells]
    return " | ".join(own) if own else finding.value
