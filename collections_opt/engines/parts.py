"""Parts of rows as Arrow files on storage that driver and executors see: written once, read by any pass without a copy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import fs

from collections_opt.engines.passes import Columns

_FORM = b"columns"


@dataclass(frozen=True)
class Part:
    """A file of consecutive rows.

    Attributes:
        path: a path or an address such as ``s3://bucket/key``, the same on every machine.
        start: number of the first row.
        rows: how many.
    """

    path: str
    start: int
    rows: int


def in_order(written: Sequence[tuple[str, int]]) -> tuple[Part, ...]:
    """Return parts one after the other, from paths and rows; those without rows are left out."""
    parts, start = [], 0
    for path, rows in written:
        if rows:
            parts.append(Part(path, start, rows))
        start += rows
    return tuple(parts)


def write_columns(path: str, columns: Columns, attempt: str) -> None:
    """Write columns as one file; a second attempt replaces the first by the same bytes.

    ``attempt`` names the writer: what it has not finished lies beside the file and is never read.
    """
    system, place = _system(path)
    system.create_dir(place.rpartition("/")[0], recursive=True)
    arrays = [_to_arrow(np.asarray(column)) for column in columns.values()]
    form = {name: [column.dtype.str, list(column.shape[1:])] for name, column in columns.items()}
    table = pa.Table.from_arrays(arrays, names=list(columns)).replace_schema_metadata({_FORM: json.dumps(form)})
    unfinished = f"{place}.{attempt}"
    with system.open_output_stream(unfinished) as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, table.num_rows))
    system.move(unfinished, place)


def read_columns(path: str) -> dict[str, NDArray[Any]]:
    """Return the columns of a file; on local storage they are the file itself, mapped into memory, and cannot be written."""
    system, place = _system(path)
    if isinstance(system, fs.LocalFileSystem):
        source = pa.memory_map(place)
    else:
        source = pa.BufferReader(system.open_input_file(place).read_buffer())
    table = pa.ipc.open_file(source).read_all()
    form: Mapping[str, tuple[str, list[int]]] = json.loads(table.schema.metadata[_FORM])
    return {name: _to_numpy(table.column(name), np.dtype(kind), shape) for name, (kind, shape) in form.items()}


def delete_folder(path: str) -> None:
    """Delete a folder of parts, if it is there."""
    system, place = _system(path)
    if system.get_file_info(place).type != fs.FileType.NotFound:
        system.delete_dir(place)


def _system(path: str) -> tuple[fs.FileSystem, str]:
    if "://" in path:
        found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(path)
        return found
    return fs.LocalFileSystem(), str(Path(path).absolute())


def _to_arrow(column: NDArray[Any]) -> pa.Array:
    """Return an array of rows of fixed size: what Arrow has no like of is kept as the bytes that it is in memory."""
    width = column.dtype.itemsize * int(np.prod(column.shape[1:], dtype=np.int64))
    flat = np.ascontiguousarray(column).reshape(-1).view(np.uint8)
    if not width:  # a history of no months
        return pa.nulls(len(column))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(column), [None, pa.py_buffer(flat)])


def _to_numpy(column: pa.ChunkedArray, kind: np.dtype[Any], shape: list[int]) -> NDArray[Any]:
    if column.num_chunks == 0 or pa.types.is_null(column.type):
        return np.empty((len(column), *shape), kind)
    array = column.chunk(0)
    start, width = array.offset * array.type.byte_width, array.type.byte_width
    held = np.frombuffer(array.buffers()[1], dtype=np.uint8, count=len(array) * width, offset=start)
    return held.view(kind).reshape(len(array), *shape)
