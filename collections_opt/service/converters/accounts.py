"""Rows of ``Account`` as columns, one column after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray

from collections_opt.api.v1 import account_pb2, own_columns_pb2
from collections_opt.core.accounts.column_names import told_column
from collections_opt.core.accounts.own_columns import OwnColumn, OwnKind
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, BLOCK_FLAGS, Column, ColumnKind
from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_HISTORY_MONTHS, MAX_SCORE_ACCOUNTS
from collections_opt.core.shown_text import visible
from collections_opt.wire.own_columns import read_own_columns

MONTH_FIELDS = {
    "status_history": "months_past_due",
    "balance_history_minor": "balance_minor_units",
    "payment_history_minor": "payment_minor_units",
}
"""Field of ``MonthlyFigures`` per history column."""

ACCOUNT_RENAMES = dict.fromkeys(MONTH_FIELDS, "months")
"""Schema columns of an account whose name differs in the contract."""

Rows = Sequence[account_pb2.Account]


def field_of(column: Column) -> str:
    """Return the field of ``Account`` (or of ``BlockFlags``) that a schema column comes from."""
    return told_column(column.name)


class _Scalar(NamedTuple):
    """How a schema column is read of messages.

    Attributes:
        name: schema column.
        field: of ``Account``.
        read: reads it of a message.
        dtype: of the column.
        tracked: the message tells whether the field was sent.
        held_if_sent: as ``Column``.
    """

    name: str
    field: str
    read: Callable[[account_pb2.Account], Any]
    dtype: Any
    tracked: bool
    held_if_sent: bool


def _scalar(column: Column) -> _Scalar:
    field = field_of(column)
    dtypes: dict[ColumnKind, Any] = {ColumnKind.TEXT: object, ColumnKind.RATE: np.float64, ColumnKind.FLAG: np.bool_}
    tracked = account_pb2.Account.DESCRIPTOR.fields_by_name[field].has_presence
    return _Scalar(column.name, field, attrgetter(field), dtypes.get(column.kind, np.int64), tracked, column.held_if_sent)


_HISTORIES = {name: MONTH_FIELDS[name] for name, column in ACCOUNT_SCHEMA.items() if column.is_history}
_SCALARS = tuple(_scalar(column) for name, column in ACCOUNT_SCHEMA.items() if name not in _HISTORIES and name not in BLOCK_FLAGS)
"""What is read of every account, found in the contract once."""


def accounts_to_raw(
    accounts: Rows, as_of_date: date, time_zone: str, currency_code: str, own_columns: Sequence[own_columns_pb2.OwnColumn] = ()
) -> RawPortfolio:
    """Return 1 to 1,000 rows as columns, in the order sent, with the own columns that the call declares.

    Raises:
        CollectionsError: LIMIT_EXCEEDED for none or too many rows, or too many months; as ``read_own_columns``;
            INVALID_ARGUMENT for a value of no declared column, or of another kind.
    """
    if not 1 <= len(accounts) <= MAX_SCORE_ACCOUNTS:
        raise refuse(Reason.LIMIT_EXCEEDED, "accounts", f"{len(accounts)} accounts.", f"Send 1 to {MAX_SCORE_ACCOUNTS}.")
    accounts = list(accounts)  # a message's rows are wrapped anew each time they are walked
    columns: dict[str, Array] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    months, flags = _months(accounts), [account.block_flags for account in accounts]
    flagged = np.array([account.HasField("block_flags") for account in accounts], dtype=np.bool_)
    for name, field in _HISTORIES.items():
        columns[name], present[name] = _history(months, field)
    for name in BLOCK_FLAGS:
        columns[name], present[name] = np.array(list(map(attrgetter(name), flags)), dtype=np.bool_), flagged
    for scalar in _SCALARS:
        cells = list(map(scalar.read, accounts))
        given = _given(accounts, scalar.field, cells, scalar.tracked)
        if not scalar.held_if_sent or any(given):
            columns[scalar.name] = np.array(cells, dtype=scalar.dtype)
            present[scalar.name] = np.array(given, dtype=np.bool_)
    own = read_own_columns(own_columns, as_of_date, "own_columns")
    _check_own(accounts, own)
    for one in own:
        columns[one.field], present[one.field] = _own(accounts, one)
    return RawPortfolio(as_of_date, time_zone, currency_code, columns, present, own=own)


def _check_own(accounts: Rows, own: Sequence[OwnColumn]) -> None:
    kinds = {one.name: one.kind.value.lower() for one in own}
    for row, account in enumerate(accounts):
        for name, value in account.own_values.items():
            kind = value.WhichOneof("value")
            if name not in kinds or kind not in (None, kinds[name]):
                problem = f"is a {kind}, declared as a {kinds[name]}." if name in kinds else "is not declared in own_columns."
                path = f"accounts[{row}].own_values[{visible(name[:40])}]"
                raise refuse(Reason.INVALID_ARGUMENT, path, problem, "Declare each column, and send values of its kind.")


def _own(accounts: Rows, column: OwnColumn) -> tuple[Array, NDArray[np.bool_]]:
    """Return an own column's values and where there are any, (n,) each; asking a map for a name would put it there."""
    name, field = column.name, column.kind.value.lower()
    given = [name in a.own_values and a.own_values[name].WhichOneof("value") is not None for a in accounts]
    nothing, dtype = ("", object) if column.kind is OwnKind.CATEGORY else (0.0, np.float64)
    cells = [getattr(a.own_values[name], field) if there else nothing for a, there in zip(accounts, given, strict=True)]
    return np.array(cells, dtype=dtype), np.array(given, dtype=np.bool_)


def _given(messages: Sequence[Message], name: str, cells: Sequence[object], tracked: bool) -> list[bool]:
    """Return where a field was sent: a value other than the default was, only the others are asked one by one."""
    given = list(map(bool, cells))
    if tracked and not all(given):
        return [there or message.HasField(name) for there, message in zip(given, messages, strict=True)]
    return given


def _months(accounts: Rows) -> list[list[account_pb2.MonthlyFigures]]:
    """Return the months of every account, filled up with empty ones to the longest."""
    months = [list(account.months) for account in accounts]
    longest = max(len(each) for each in months)
    if longest > MAX_HISTORY_MONTHS:
        row = next(index for index, each in enumerate(months) if len(each) == longest)
        raise refuse(
            Reason.LIMIT_EXCEEDED, f"accounts[{row}].months", f"{longest} months.", f"Send at most {MAX_HISTORY_MONTHS}."
        )
    nothing = account_pb2.MonthlyFigures()
    return [each + [nothing] * (longest - len(each)) for each in months]


def _history(months: list[list[account_pb2.MonthlyFigures]], name: str) -> tuple[Array, NDArray[np.bool_]]:
    shape = (len(months), len(months[0]))
    cells = [month for row in months for month in row]
    values = list(map(attrgetter(name), cells))
    given = np.array(_given(cells, name, values, True), dtype=np.bool_)
    return np.array(values, dtype=np.int64).reshape(shape), given.reshape(shape)
