"""Declarations of a lender's own columns as messages and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from collections_opt.api.v1 import own_columns_pb2 as pb
from collections_opt.core.accounts.own_columns import NO_SOURCES, OwnColumn, OwnKind, check_declared
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_OWN_COLUMNS
from collections_opt.wire.common import read_date, read_enum, write_date, write_enum


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
