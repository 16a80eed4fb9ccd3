"""What a file looks like: encoding, delimiter, lines before the header and after the last row, columns as texts."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.cells.texts import code_text, is_date, is_number, plain_array
from collections_opt.datasets.files.mappings import CsvFormat, Layout
from collections_opt.datasets.files.opening.encodings import likely_encoding
from collections_opt.datasets.files.opening.opened import SHEET_ENDINGS, TEXT_ENDINGS, open_file
from collections_opt.datasets.files.opening.packed import PackedFile, inner_name

SAMPLE_ROWS = 20_000
_SAMPLE_BYTES = 1024 * 1024
_DELIMITERS = ",;\t|"
_MAX_PREAMBLE = 50


@dataclass(frozen=True)
class LookedFile:
    """A file as looked at.

    Attributes:
        path: of the file.
        csv: how its text is written.
        layout: what of it is the table.
        names: its columns, in order.
        cells: non-empty texts of each column, from the first rows.
        kinds: ``number`` or ``date`` for columns that come typed, else "".
        row_count: rows looked at.
        repeated: columns whose name occurs more than once.
        notes: what a person should know, one sentence each.
    """

    path: Path
    csv: CsvFormat
    layout: Layout
    names: tuple[str, ...]
    cells: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, str]
    row_count: int
    repeated: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def look(path: Path, sheet: str = "") -> LookedFile:
    """Look at a file of any kind that ``open_file`` reads.

    Raises:
        CollectionsError: as ``open_file``; INVALID_ARGUMENT for a text without a table in it.
    """
    ending = Path(inner_name(path)).suffix.lower() if path.is_file() else path.suffix.lower()
    csv_format, layout = CsvFormat(), Layout(sheet=sheet)
    notes: list[str] = []
    if ending in TEXT_ENDINGS and path.is_file():
        csv_format, layout, notes = _look_at_text(path)
    elif ending in SHEET_ENDINGS and path.is_file():
        layout, notes = _look_at_sheet(path, sheet)
    file = open_file(path, csv_format, layout, ())
    repeated = tuple(sorted({name for name in file.names if file.names.count(name) > 1}))
    wanted = tuple(name for name in file.names if name not in repeated and name)
    chunk_tables: list[pa.Table] = []
    broken: list[int] = []
    last = 0
    for chunk in open_file(path, csv_format, layout, wanted).chunks:
        broken += [one.line for one in chunk.broken]
        last = max([last, *(chunk.lines[-1:].tolist()), *(one.line for one in chunk.broken)])
        if sum(table.num_rows for table in chunk_tables) < SAMPLE_ROWS:
            chunk_tables.append(chunk.table)
    footer = 0
    while broken and broken[-1] == last - footer:
        footer += 1
        broken.pop()
    if footer:
        layout = Layout(layout.sheet, layout.skip_first_lines, footer)
        notes.append(f"The last {footer} line(s) fit no table, as totals do; they are skipped.")
    if broken:
        notes.append(f"{len(broken)} row(s) have another number of cells than the header (line {broken[0]}); quarantined.")
    table = pa.concat_tables(chunk_tables).slice(0, SAMPLE_ROWS) if chunk_tables else pa.table({})
    columns = {name: plain_array(table.column(name)) for name in table.column_names}
    kinds = {name: "number" if is_number(one.type) else "date" if is_date(one.type) else "" for name, one in columns.items()}
    cells = {name: _texts(one) for name, one in columns.items()}
    return LookedFile(path, csv_format, layout, file.names, cells, kinds, table.num_rows, repeated, tuple(notes))


def _texts(cells: pa.Array) -> tuple[str, ...]:
    texts = code_text(cells)
    held = pc.cast(cells, pa.string()) if texts is None else texts
    return tuple(text for text in held.to_pylist() if text)


def _look_at_text(path: Path) -> tuple[CsvFormat, Layout, list[str]]:
    with PackedFile(path).open() as stream:
        sample = stream.read(_SAMPLE_BYTES)
    encoding, notes = likely_encoding(sample), []
    if encoding == "utf8":
        encoding = _encoding_of_all(path)
    if encoding != "utf8":
        notes.append(f"The text is not UTF-8; it looks like {encoding}. Look at names with accents.")
    text = sample.decode(encoding, "replace").lstrip("\ufeff")
    lines = text.splitlines()[: -1 if len(sample) == _SAMPLE_BYTES else None]
    delimiter, width = _delimiter(lines)
    widths = [len(row) for row in csv.reader(io.StringIO("\n".join(lines[:_MAX_PREAMBLE])), delimiter=delimiter)]
    if width < 2:
        raise refuse(Reason.INVALID_ARGUMENT, path.name, "holds no table of two columns or more.", "Send a table.")
    first = next((index for index, count in enumerate(widths) if count == width), 0)
    if first:
        notes.append(f"The first {first} line(s) stand before the header; they are skipped.")
    header = next(csv.reader([lines[first]], delimiter=delimiter))
    names: tuple[str, ...] = ()
    if not _is_header(header):
        names = tuple(f"column_{index + 1}" for index in range(width))
        notes.append("There is no header line: columns are numbered. Rename column_names in the mapping.")
    default = "\t" if inner_name(path).lower().endswith(".tsv") else ","
    shown = "" if delimiter == default else delimiter
    return CsvFormat(shown, ".", encoding, names), Layout(skip_first_lines=first), notes


def _encoding_of_all(path: Path) -> str:
    """Return the encoding of the first bytes that are no UTF-8, anywhere in the file; utf8 where there are none."""
    with PackedFile(path).open() as stream:
        held = b""
        while block := stream.read(_SAMPLE_BYTES):
            found = likely_encoding(held[-8:] + block)
            if found != "utf8":
                return found
            held = block
    return "utf8"


def _delimiter(lines: list[str]) -> tuple[str, int]:
    """Return the delimiter that cuts most lines into one number of cells, and that number."""
    best = (0.0, ",", 1)
    body = [line for line in lines[:500] if line.strip()]
    for delimiter in _DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(io.StringIO("\n".join(body)), delimiter=delimiter) if row)
        width, seen = max(counts.items(), key=lambda pair: (pair[1] * (pair[0] > 1), pair[0]), default=(1, 0))
        if width > 1:
            best = max(best, (seen / max(len(body), 1) + width / 1_000, delimiter, width))
    return best[1], best[2]


def _is_header(cells: list[str]) -> bool:
    """Return whether a line names columns: no numbers or dates, hardly any empty cell, no name twice among many."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    wordy = [cell for cell in filled if any(c.isalpha() for c in cell) and not cell[0].isdigit()]
    return len(filled) > 0.6 * len(cells) and len(wordy) >= 0.8 * len(filled)


def _look_at_sheet(path: Path, sheet: str) -> tuple[Layout, list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - only spreadsheets need it

    try:
        book = CalamineWorkbook.from_path(path)
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except CalamineError:
        return Layout(sheet=sheet), []  # opening it says what is wrong
    chosen = sheet or max(sheets, key=lambda name: len(sheets[name]), default="")
    notes = [f"The sheet with most rows is taken: {chosen} of {', '.join(sheets)}."] if not sheet and len(sheets) > 1 else []
    rows = sheets.get(chosen, [])
    filled = [sum(cell not in ("", None) for cell in row) for row in rows[:_MAX_PREAMBLE]]
    most = max(filled, default=0)
    first = next((index for index, count in enumerate(filled) if count >= 0.7 * most), 0)
    if first:
        notes.append(f"The first {first} line(s) stand before the header; they are skipped.")
    return Layout(chosen if len(sheets) > 1 else "", first), notes
