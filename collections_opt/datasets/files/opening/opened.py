"""Open a file by its name: what it holds comes as chunks of columns with the line of every row, and rows that fit no table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.cells.texts import plain_array
from collections_opt.datasets.files.mappings import CsvFormat, Layout
from collections_opt.datasets.files.opening.packed import PackedFile, inner_name
from collections_opt.datasets.files.opening.sheets import read_sheet
from collections_opt.datasets.files.opening.text import TextRows, stream_text

CHUNK_ROWS = 65_536
TEXT_ENDINGS = (".csv", ".txt", ".tsv")
SHEET_ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
ENDINGS = (*TEXT_ENDINGS, *SHEET_ENDINGS, ".parquet")


@dataclass(frozen=True)
class BrokenRow:
    """A row that fits no table: its line, its text as it came, the rule it breaks and the remedy."""

    line: int
    text: str
    rule: str
    remedy: str


@dataclass(frozen=True)
class FileChunk:
    """The next rows of a file.

    Attributes:
        table: Arrow table (n rows) of the columns asked for.
        lines: int64 (n,) line of each row as a spreadsheet shows it, 1 first.
        broken: rows among them that fit no table.
    """

    table: Any
    lines: NDArray[np.int64]
    broken: tuple[BrokenRow, ...] = ()


@dataclass
class Skipped:
    """Lines that hold no row, counted while a file is read."""

    first_lines: int = 0
    last_lines: int = 0
    blank_lines: int = 0


@dataclass(frozen=True)
class OpenedFile:
    """A file on its way in.

    Attributes:
        names: of its columns, in order, repeated ones repeated.
        chunks: its rows; to be read once.
        skipped: lines that hold no row; complete when the chunks are read.
        typed_dates: whether dates come as ISO texts, whatever their format was.
    """

    names: tuple[str, ...]
    chunks: Iterator[FileChunk]
    skipped: Skipped = field(default_factory=Skipped)
    typed_dates: bool = False


def open_file(path: Path, csv: CsvFormat, layout: Layout, wanted: tuple[str, ...] | None = None) -> OpenedFile:
    """Open a file: .csv, .txt, .tsv (also .gz, or a .zip of one file), .xlsx and other spreadsheets, .parquet.

    Args:
        path: the file.
        csv: how text is written.
        layout: which sheet, and which lines are no rows.
        wanted: columns to read; those it lacks are left out; None reads all.

    Raises:
        CollectionsError: NOT_FOUND; INVALID_ARGUMENT for another format, a broken or wrongly encoded file; SCHEMA_MISMATCH for a
            repeated column among the wanted.
    """
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "is not a file.", "Check the path.")
    ending = Path(inner_name(path)).suffix.lower()
    if ending not in ENDINGS:
        remedy = f"Send one of {', '.join(ENDINGS)}; text also as .gz, or as a .zip of one file."
        raise refuse(Reason.INVALID_ARGUMENT, path.name, f"{ending!r} files are not read.", remedy)
    try:
        file = _opened(path, ending, csv, layout, wanted)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise unreadable(path, error) from error
    checked = file.names if wanted is None else wanted
    repeated = sorted({name for name in file.names if file.names.count(name) > 1 and name in checked})
    if repeated:
        remedy = "Rename or drop the copies."
        raise refuse(Reason.SCHEMA_MISMATCH, repeated[0], f"occurs more than once in {path.name}.", remedy)
    return OpenedFile(file.names, _guarded(path, file.chunks), file.skipped, file.typed_dates)


def unreadable(path: Path, error: Exception) -> Exception:
    """Return the refusal of a file that breaks off or is something else than its name says."""
    problem = f"cannot be read: {' '.join(str(error).split())[:200] or type(error).__name__}."
    return refuse(Reason.INVALID_ARGUMENT, path.name, problem, "Check that the file is complete and of the kind its name says.")


def _opened(path: Path, ending: str, csv: CsvFormat, layout: Layout, wanted: tuple[str, ...] | None) -> OpenedFile:
    if ending == ".parquet":
        return _parquet(path, layout, wanted)
    skipped = Skipped(layout.skip_first_lines, layout.skip_last_lines)
    if ending in SHEET_ENDINGS:
        names, rows = read_sheet(path, csv, layout)
    else:
        delimiter = csv.delimiter or ("\t" if ending == ".tsv" else ",")
        names, rows = stream_text(PackedFile(path), csv, delimiter, layout)
    places = [place for place, name in enumerate(names) if (wanted is None or name in wanted) and names.count(name) == 1]
    chunks = _chunks(rows, skipped, [str(place) for place in places], [names[place] for place in places])
    return OpenedFile(names, chunks, skipped, typed_dates=ending in SHEET_ENDINGS)


def _chunks(rows: Iterator[TextRows], skipped: Skipped, places: list[str], names: list[str]) -> Iterator[FileChunk]:
    """Hand on the columns asked for, without the rows in which no column holds anything, which are counted."""
    for part in rows:
        blank = _blank(part.table)
        skipped.blank_lines += int(blank.sum())
        table = part.table.select(places).rename_columns(names)
        broken = tuple(BrokenRow(*one) for one in part.broken)
        if blank.any():
            table = table.filter(pa.array(~blank))
        yield FileChunk(table, part.lines[~blank], broken)


def _blank(table: Any) -> NDArray[np.bool_]:
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        blank &= np.asarray(pc.is_null(column).to_numpy(), dtype=bool)
    return blank


def _parquet(path: Path, layout: Layout, wanted: tuple[str, ...] | None) -> OpenedFile:
    if layout.skip_first_lines or layout.skip_last_lines:
        raise refuse(Reason.INVALID_ARGUMENT, "layout", "skips lines, and a Parquet file has none.", "Remove it.")
    file = pyarrow.parquet.ParquetFile(path)
    names = tuple(file.schema_arrow.names)
    columns = [name for name in names if (wanted is None or name in wanted) and names.count(name) == 1]
    return OpenedFile(names, _parquet_chunks(file, columns))


def _parquet_chunks(file: Any, columns: list[str]) -> Iterator[FileChunk]:
    done = 0
    for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=columns):
        # A table without a header line: row 1 of the data stands where a spreadsheet shows line 2.
        # Views and dictionaries have no kernels for filters; every kind of text becomes plain here.
        table = pa.Table.from_arrays([plain_array(column) for column in batch.columns], names=batch.schema.names)
        yield FileChunk(table, np.arange(done + 2, done + batch.num_rows + 2, dtype=np.int64))
        done += batch.num_rows


def _guarded(path: Path, chunks: Iterator[FileChunk]) -> Iterator[FileChunk]:
    try:
        yield from chunks
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        raise unreadable(path, error) from error
