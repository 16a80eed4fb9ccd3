"""Declarations of a lender's own columns as messages and back, and the names that columns of accounts may have with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from collections_opt.api.v1 import columns_pb2
from collections_opt.api.v1 import own_columns_pb2 as pb
from collections_opt.core.accounts.column_names import told_columns
from collections_opt.core.accounts.own_columns import NO_SOURCES, OwnColumn, OwnKind, check_declared
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_OWN_COLUMNS
from collections_opt.wire.common import read_date, read_enum, write_date, write_enum

_SCHEMA_NAMES = told_columns()


def read_own_columns(
    messages: Sequence[pb.OwnColumn], as_of_date: date, path: str, sources: Mapping[str, str] = NO_SOURCES
) -> tuple[OwnColumn, ...]:
    """Return declarations, checked.

    Args:
        messages: as sent.
        as_of_date: the day that the accounts describe.
        path: of the list in the request.
        sources: the sender's own names of columns, by ``OwnColumn.field``.

    Raises:
        CollectionsError: as ``check_declared``, at the path of the declaration at fault.
    """
    if len(messages) > MAX_OWN_COLUMNS:
        raise refuse(Reason.LIMIT_EXCEEDED, path, f"{len(messages)} own columns.", f"Declare at most {MAX_OWN_COLUMNS}.")
    declared = tuple(_read(message, f"{path}[{index}]") for index, message in enumerate(messages))
    check_declared(declared, as_of_date, sources, lambda index: f"{path}[{index}]")
    return declared


def known_columns(own: Sequence[OwnColumn]) -> frozenset[str]:
    """Return the names that packed columns of accounts may have: those of the account schema, and own ones."""
    return frozenset({*_SCHEMA_NAMES, *(one.field for one in own)})


def check_names(chunk: columns_pb2.ColumnChunk, known: frozenset[str]) -> None:
    """Refuse a column that no account has, with the chunk that brings it.

    Raises:
        CollectionsError: SCHEMA_MISMATCH.
    """
    for index, column in enumerate(chunk.columns):
        if column.name and column.name not in known:
            raise refuse(
                Reason.SCHEMA_MISMATCH,
                f"chunk.columns[{index}].name",
                f"{column.name[:40]!r} is neither a column of the account schema nor declared among own columns.",
                f"Use some of {', '.join(_SCHEMA_NAMES)}; or declare it.",
            )


def _read(message: pb.OwnColumn, path: str) -> OwnColumn:
    return OwnColumn(
        name=message.name,
        kind=OwnKind(read_enum(pb.OwnColumnKind.DESCRIPTOR, message.kind, f"{path}.kind")),
        meaning=message.meaning,
        unit=message.unit,
        known_as_of=read_date(message.known_as_of, f"{path}.known_as_of") if message.HasField("known_as_of") else None,
        expected_sign=message.expected_sign,
        may_be_missing=message.may_be_missing,
    )


def write_own_columns(declared: Sequence[OwnColumn]) -> list[pb.OwnColumn]:
    """Return declarations as messages."""
    return [
        pb.OwnColumn(
            name=one.name,
            kind=write_enum(pb.OwnColumnKind.DESCRIPTOR, one.kind.value),
            meaning=one.meaning,
            unit=one.unit,
            known_as_of=write_date(one.known_as_of) if one.known_as_of else None,
            expected_sign=one.expected_sign,
            may_be_missing=one.may_be_missing,
        )
        for one in declared
    ]
