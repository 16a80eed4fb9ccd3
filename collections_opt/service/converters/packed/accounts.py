"""A chunk of packed columns as the accounts of one call, and what is wrong with them at its place in the chunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from collections_opt.api.v1 import columns_pb2, own_columns_pb2
from collections_opt.application.rankings.quarantine import refused_rows
from collections_opt.core.accounts.admission import Quarantine
from collections_opt.core.accounts.column_names import held_column, told_column
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_SCORE_ACCOUNTS
from collections_opt.wire.columns import decode_rows
from collections_opt.wire.own_columns import check_names, known_columns, read_own_columns


def chunk_to_raw(
    chunk: columns_pb2.ColumnChunk,
    as_of_date: date,
    time_zone: str,
    currency_code: str,
    own_columns: Sequence[own_columns_pb2.OwnColumn] = (),
) -> RawPortfolio:
    """Return 1 to 1,000 packed accounts, in the order sent, with the own columns that the call declares.

    Raises:
        CollectionsError: LIMIT_EXCEEDED for none or too many rows; as ``read_own_columns``, ``check_names`` and
            ``decode_rows``.
    """
    if not 1 <= chunk.row_count <= MAX_SCORE_ACCOUNTS:
        told = f"{chunk.row_count} rows."
        raise refuse(Reason.LIMIT_EXCEEDED, "chunk.row_count", told, f"Send 1 to {MAX_SCORE_ACCOUNTS}.")
    own = read_own_columns(own_columns, as_of_date, "own_columns")
    check_names(chunk, known_columns(own))
    columns = decode_rows(chunk)
    values = {held_column(name): cells for name, cells in columns.values.items()}
    present = {held_column(name): mask for name, mask in columns.present.items()}
    return RawPortfolio(as_of_date, time_zone, currency_code, values, present, own=own)


def refused_cells(chunk: columns_pb2.ColumnChunk) -> Callable[[Quarantine], CollectionsError]:
    """Return what refuses accounts at fault, at the places of their cells in a chunk."""
    place = {held_column(column.name): index for index, column in enumerate(chunk.columns)}

    def told(row: int, field: str, problem: str) -> tuple[str, str]:
        path = f"chunk.columns[{place[field]}].values[{row}]" if field in place else "chunk"
        return path, f"{told_column(field)} of row {row}: {problem}"

    return partial(refused_rows, told=told)
