"""Where rows stand in a sender's file and what its reader found wrong with them, as messages and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.core.accounts.column_names import held_column, told_column, told_columns
from collections_opt.core.accounts.row_faults import NO_FAULTS, RowFaults, joined
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_ROW_FAULTS
from collections_opt.core.shown_text import visible

_FAULTS_PER_MESSAGE = 2_000
_REMEDY_CHARACTERS = 400
_FAULT_BYTES = 48
_TEXT_BYTES = 64
_RULE = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_NO_LINES = np.zeros(0, dtype=np.int64)


def encode_file_rows(lines: NDArray[np.int64] | None, faults: RowFaults) -> Iterator[pb.FileRows]:
    """Yield the messages that follow a chunk: the lines of its rows, then their faults."""
    if lines is not None:
        yield pb.FileRows(lines=lines.tolist())
    texts = zip(faults.field, faults.column, faults.value, faults.rule, faults.remedy, strict=True)
    entries = [
        pb.RowFault(row=row, field=told_column(field), column=column, value=value, rule=rule, remedy=remedy[:_REMEDY_CHARACTERS])
        for row, (field, column, value, rule, remedy) in zip(faults.row.tolist(), texts, strict=True)
    ]
    for start in range(0, len(entries), _FAULTS_PER_MESSAGE):
        yield pb.FileRows(faults=entries[start : start + _FAULTS_PER_MESSAGE])


class FileRowsCollector:
    """Puts what follows the chunks of a stream together, by row of the whole import.

    Args:
        fields: columns that a fault may name.
        hold: told how many bytes of memory each message takes; refuses what is too much.
    """

    def __init__(self, fields: Collection[str] = told_columns(), hold: Callable[[int], None] = lambda _count: None) -> None:
        self._fields = fields
        self._hold = hold
        self._chunk_start = 0
        self._chunk_rows = 0
        self._lines: list[NDArray[np.int64]] = []
        self._has_lines = False
        self._chunk_has_lines = True
        self._faults: list[RowFaults] = []
        self._count = 0
        self._known: dict[str, str] = {}

    def chunk(self, row_count: int) -> None:
        """Begin a chunk: what follows is about its rows."""
        self._fill()
        self._chunk_start += self._chunk_rows
        self._chunk_rows = row_count
        self._chunk_has_lines = False

    def add(self, message: pb.FileRows) -> None:
        """Add what is known about the rows of the chunk before.

        Raises:
            CollectionsError: SCHEMA_MISMATCH for another number of lines than rows, or lines twice; INVALID_ARGUMENT for a fault
                of no row, column or rule; LIMIT_EXCEEDED for more faults than a portfolio may have; as ``hold``.
        """
        if message.lines:
            if len(message.lines) != self._chunk_rows or self._chunk_has_lines:
                problem = f"are {len(message.lines)} for {self._chunk_rows} rows, or sent twice."
                raise refuse(Reason.SCHEMA_MISMATCH, "file_rows.lines", problem, "Send one line per row, after its chunk.")
            self._has_lines = self._chunk_has_lines = True
            self._hold(8 * len(message.lines))
            self._lines.append(np.fromiter(message.lines, np.int64, len(message.lines)))
        self._count += len(message.faults)
        if self._count > MAX_ROW_FAULTS:
            raise refuse(
                Reason.LIMIT_EXCEEDED, "file_rows.faults", f"are more than {MAX_ROW_FAULTS:,}.", "Correct the mapping first."
            )
        if message.faults:
            self._hold(_FAULT_BYTES * len(message.faults))
            self._faults.append(self._read(message))

    def lines(self) -> NDArray[np.int64] | None:
        """Return the line of every row, 0 where none was sent; None where the stream had none at all."""
        self._fill()
        self._chunk_start, self._chunk_rows = self._chunk_start + self._chunk_rows, 0
        self._chunk_has_lines = True
        return np.concatenate([_NO_LINES, *self._lines]) if self._has_lines else None

    def faults(self) -> RowFaults:
        """Return every fault, with its row of the import."""
        return joined(self._faults) if self._faults else NO_FAULTS

    def _fill(self) -> None:
        if not self._chunk_has_lines and self._chunk_rows:
            self._lines.append(np.zeros(self._chunk_rows, dtype=np.int64))

    def _read(self, message: pb.FileRows) -> RowFaults:
        for index, fault in enumerate(message.faults):
            problem = self._problem(fault)
            if problem:
                raise problem_at(index, *problem)
        rows = np.fromiter((fault.row for fault in message.faults), np.int64, len(message.faults)) + self._chunk_start
        texts = (
            tuple(self._one(getattr(fault, name)) for fault in message.faults) for name in ("column", "value", "rule", "remedy")
        )
        fields = tuple(self._one(held_column(fault.field)) for fault in message.faults)
        return RowFaults(rows, fields, *texts)

    def _problem(self, fault: pb.RowFault) -> tuple[str, str, str] | None:
        if not 0 <= fault.row < self._chunk_rows:
            return "row", f"{fault.row} is no row of the chunk.", f"Use 0 to {self._chunk_rows - 1}."
        if fault.field and fault.field not in self._fields:
            return "field", f"{fault.field[:40]!r} is not a column of the account schema.", "Leave it empty for a whole row."
        if not _RULE.fullmatch(fault.rule):
            return "rule", f"{fault.rule[:40]!r} is no code.", "Use capitals, digits and underscores."
        return None

    def _one(self, text: str) -> str:
        """Return a printable text, one object for equal ones: a fault of every row repeats the same few."""
        found = self._known.get(text)
        if found is None:
            found = visible(text[:_REMEDY_CHARACTERS])
            self._hold(_TEXT_BYTES + len(found))
            if len(self._known) < 100_000:
                self._known[text] = found
        return found


def problem_at(index: int, name: str, problem: str, remedy: str) -> CollectionsError:
    """Return the refusal of one fault of a message."""
    return refuse(Reason.INVALID_ARGUMENT, f"file_rows.faults[{index}].{name}", problem, remedy)
