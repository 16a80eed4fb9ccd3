"""Text files in blocks: every column as text, the line of every row, rows with too few or too many cells beside the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.datasets.files.mappings import CsvFormat, Layout
from collections_opt.datasets.files.opening.encodings import survey
from collections_opt.datasets.files.opening.packed import PackedFile

BLOCK_BYTES = 4 * 1024 * 1024
"""Arrow reads up to 32 blocks ahead of a slower consumer: this bounds the memory of a file of any size."""
RAGGED = "RAGGED_ROW"
OPEN_QUOTE = "QUOTE_NOT_CLOSED"
Broken = tuple[int, str, str, str]
"""Line, text as it came, rule and remedy of a row that fits no table."""


@dataclass(frozen=True)
class TextRows:
    """The next rows: an Arrow table of texts (columns "0", "1", ...), the line of each, and rows among them that fit no table."""

    table: Any
    lines: NDArray[np.int64]
    broken: tuple[Broken, ...]


class _Ragged:
    """Collects rows that have another number of cells than the header, as Arrow meets them."""

    def __init__(self) -> None:
        self.waiting: deque[Broken] = deque()

    def __call__(self, row: Any) -> str:
        problem = f"The row has {row.actual_columns} cells, the header {row.expected_columns}; "
        remedy = "put a cell that holds the delimiter or a quote in double quotes."
        self.waiting.append((int(row.number), row.text, RAGGED, problem + remedy))
        return "skip"


def stream_text(file: PackedFile, csv: CsvFormat, delimiter: str, layout: Layout) -> tuple[tuple[str, ...], Iterator[TextRows]]:
    """Return the names of a text file's columns and its rows as texts; no type is guessed.

    Raises:
        CollectionsError: INVALID_ARGUMENT for another encoding than declared, with line, cell and remedy, or an empty file.
    """
    seen = survey(file, csv.encoding)
    names = csv.column_names or _header(file, csv, delimiter, layout)
    rows = _rows(file, csv, delimiter, layout, len(names))
    # A quote that is not closed takes further lines into its cell; where there is no quote there is nothing to look for.
    return names, (_closed(part, delimiter, len(names)) for part in rows) if seen.has_quotes else rows


def _header(file: PackedFile, csv: CsvFormat, delimiter: str, layout: Layout) -> tuple[str, ...]:
    ragged = _Ragged()
    with file.open() as stream:
        options = _read_options(csv, layout, None)
        options.block_size = 1024 * 1024
        try:
            with pyarrow.csv.open_csv(stream, options, _parse_options(delimiter, ragged), None) as opened:
                names = opened.schema.names
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                raise _empty(file) from error
            raise
    if not any(name.strip() for name in names):
        raise _empty(file)
    return tuple(name.strip().lstrip("\ufeff") for name in names)


def _empty(file: PackedFile) -> CollectionsError:
    remedy = "Send a file with a header line, or give csv.column_names."
    return refuse(Reason.INVALID_ARGUMENT, file.path.name, "has no header line.", remedy)


def _read_options(csv: CsvFormat, layout: Layout, places: list[str] | None) -> Any:
    skipped = layout.skip_first_lines + (0 if places is None or csv.column_names else 1)
    return pyarrow.csv.ReadOptions(
        block_size=BLOCK_BYTES, encoding=csv.encoding, use_threads=False, column_names=places, skip_rows=skipped
    )


def _parse_options(delimiter: str, ragged: _Ragged) -> Any:
    return pyarrow.csv.ParseOptions(
        delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=ragged
    )


def _rows(file: PackedFile, csv: CsvFormat, delimiter: str, layout: Layout, count: int) -> Iterator[TextRows]:
    ragged = _Ragged()
    places = [str(place) for place in range(count)]
    texts = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(places, pa.string()), null_values=[""], strings_can_be_null=True
    )
    first_line = layout.skip_first_lines + (1 if csv.column_names else 2)
    parse = _parse_options(delimiter, ragged)
    with file.open() as stream:
        try:
            reader = pyarrow.csv.open_csv(stream, _read_options(csv, layout, places), parse, texts)
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                return  # a header and nothing below it
            raise
        with reader:
            yield from _without_last(_numbered(reader, ragged, first_line), layout.skip_last_lines)


def _numbered(reader: Any, ragged: _Ragged, next_line: int) -> Iterator[TextRows]:
    """Give every row its line: rows that fit no table take theirs among the others."""
    for batch in reader:
        table = pa.Table.from_batches([batch])
        lines, broken = np.zeros(table.num_rows, dtype=np.int64), []
        filled = 0
        while filled < table.num_rows or (ragged.waiting and ragged.waiting[0][0] == next_line):
            while ragged.waiting and ragged.waiting[0][0] == next_line:
                broken.append(ragged.waiting.popleft())
                next_line += 1
            stop = ragged.waiting[0][0] if ragged.waiting else next_line + table.num_rows
            count = min(stop - next_line, table.num_rows - filled)
            lines[filled : filled + count] = np.arange(next_line, next_line + count)
            filled, next_line = filled + count, next_line + count
        yield TextRows(table, lines, tuple(broken))
    if ragged.waiting:
        empty = pa.table({name: pa.array([], pa.string()) for name in reader.schema.names})
        yield TextRows(empty, np.zeros(0, dtype=np.int64), tuple(ragged.waiting))


def _without_last(parts: Iterator[TextRows], count: int) -> Iterator[TextRows]:
    """Leave out the last lines of a file; parts are held back until that many lines follow them."""
    if not count:
        yield from parts
        return
    held: deque[TextRows] = deque()
    for part in parts:
        held.append(part)
        while len(held) > 1 and sum(one.lines.size + len(one.broken) for one in list(held)[1:]) >= count:
            yield held.popleft()
    last = max((_last_line(part) for part in held), default=0)
    for part in held:
        kept = part.lines <= last - count
        broken = tuple(one for one in part.broken if one[0] <= last - count)
        yield TextRows(part.table.filter(pa.array(kept)), part.lines[kept], broken)


def _last_line(part: TextRows) -> int:
    broken = max((one[0] for one in part.broken), default=0)
    return max(int(part.lines.max(initial=0)), broken)


def _closed(part: TextRows, delimiter: str, column_count: int) -> TextRows:
    """Set apart rows in which a quote that is not closed has swallowed further lines: a cell with a line break and delimiters."""
    swallowed = np.zeros(part.table.num_rows, dtype=bool)
    pattern = rf"(?s)\n[^\n]*(?:{_escaped(delimiter)}[^\n]*){{{max(column_count - 1, 1)}}}"
    for column in part.table.columns:
        if pc.any(pc.match_substring(column, "\n")).as_py():
            swallowed |= pc.fill_null(pc.match_substring_regex(column, pattern=pattern), False).to_numpy()
    if not swallowed.any():
        return part
    rows = np.flatnonzero(swallowed)
    told = [(int(part.lines[row]), *_swallowing(part.table, row, delimiter)) for row in rows.tolist()]
    broken = tuple(sorted((*part.broken, *told)))
    return TextRows(part.table.filter(pa.array(~swallowed)), part.lines[~swallowed], broken)


def _swallowing(table: Any, row: int, delimiter: str) -> tuple[str, str, str]:
    cells = ["" if column[row].as_py() is None else str(column[row].as_py()) for column in table.columns]
    lines = sum(cell.count("\n") for cell in cells)
    remedy = (
        f"A quote that is not closed took {lines} further lines into this row: close or remove it; those lines are no rows yet."
    )
    return delimiter.join(cells), OPEN_QUOTE, remedy


def _escaped(delimiter: str) -> str:
    return f"\\x{ord(delimiter):02x}" if ord(delimiter) < 256 else delimiter
