"""Score up to 1,000 accounts of a table at once, in packed columns both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import own_columns_pb2
from collections_opt.api.v1 import scoring_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.core.accounts.column_names import held_column, told_column
from collections_opt.core.accounts.own_columns import PREFIX
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.wire.columns import Columns, Mask, decode_chunk, encode_chunk

_MINUTES = ("call_from_minute", "call_until_minute")


@dataclass(frozen=True)
class ScoredTable:
    """Scores of n accounts in q queues, in the order of the rows sent; each column says what its field of the contract says.

    Attributes:
        accounts: (n,) by name: account_id (str objects), p_cure, p_default, p_stay (float64),
            expected_recovery_without_contact_minor_units (int64), loss_given_default (float64), loss_source (str objects).
        queue_ids: the queues, in the plan's order.
        queues: (n, q) by name: eligible (bool), increment_minor_units, expected_recovery_minor_units (int64), handling_minutes
            (float64), offered_attempts (int64, 0: all), blocking_rule (int64, index into ``answer.columns.blocking_rules``, -1
            where eligible), next_eligible_date (datetime64[D], NaT where none is known), call_from_minute, call_until_minute
            (int64, -1 where not known).
        reason: int64 (n, k) index into ``answer.columns.reasons``, -1 where there is none; k is 0 without reasons.
        contribution: float64 (n, k) push of each reason.
        answer: everything else: versions, health with its warnings, blocking rules, reasons in words.
    """

    accounts: Mapping[str, Array]
    queue_ids: tuple[str, ...]
    queues: Mapping[str, Array]
    reason: NDArray[np.int64]
    contribution: NDArray[np.float64]
    answer: pb.ScoreAccountsResponse


def score_columns(client: Client, table: Any, request: pb.ScoreAccountsRequest) -> ScoredTable:
    """Score 1 to 1,000 accounts of a table; nothing is recorded.

    Args:
        client: where to.
        table: columns of the account schema by name, and declared own ones as ``own.NAME``: a mapping of names to numpy arrays, a
            pandas DataFrame or a pyarrow Table. Histories are (n, months) arrays, latest month first, which only a mapping
            holds. A missing cell is None, NaN or what the table calls missing.
        request: what the accounts describe, plan and values; without accounts.

    Raises:
        CollectionsError: SCHEMA_MISMATCH naming a column that cannot be sent; INVALID_ARGUMENT naming column and row at fault;
            as ``ScoreAccounts``.
    """
    sent = pb.ScoreAccountsRequest()
    sent.CopyFrom(request)
    sent.chunk.CopyFrom(encode_chunk(packed(table, request.own_columns)))
    return _read(client.scoring.ScoreAccounts(sent))


def packed(table: Any, own: Any = ()) -> Columns:
    """Return a table's columns as they are sent, with where they have values; ``own`` declares own columns."""
    named = dict(zip(table.column_names, table.columns, strict=True)) if hasattr(table, "column_names") else dict(table.items())
    categories = {PREFIX + one.name for one in own if one.kind == own_columns_pb2.OWN_COLUMN_KIND_CATEGORY}
    values: dict[str, Array] = {}
    present: dict[str, Mask] = {}
    for name, column in named.items():
        told = told_column(str(name))
        cells, mask = _cells(column)
        values[told] = _typed(told, cells, mask, told in categories)
        if not mask.all():
            present[told] = mask
    count = next((cells.shape[0] for cells in values.values()), 0)
    for name, cells in values.items():
        if cells.shape[0] != count:
            raise refuse(Reason.SCHEMA_MISMATCH, name, f"has {cells.shape[0]} rows, not {count}.", "Send columns of one table.")
    return Columns(count, values, present)


def _cells(column: Any) -> tuple[Array, Mask]:
    """Return a column's cells and where they have values, both in one shape."""
    if hasattr(column, "is_null"):  # pyarrow
        cells, mask = np.asarray(column), ~np.asarray(column.is_null(nan_is_null=True))
    elif hasattr(column, "isna"):  # pandas
        cells, mask = column.to_numpy(), ~column.isna().to_numpy()
    else:
        cells = np.asarray(column)
        mask = np.ones(cells.shape, dtype=np.bool_)
        if cells.dtype.kind in "fO":
            mask = np.asarray((cells == cells) & (cells != None), dtype=np.bool_)  # noqa: E711, PLR0124 - cell by cell
    return cells, np.asarray(mask, dtype=np.bool_)


def _typed(name: str, cells: Array, mask: Mask, category: bool) -> Array:
    """Return cells as the contract packs them: text, int64, float64 or bool; what stands in missing cells means nothing."""
    column = ACCOUNT_SCHEMA.get(held_column(name))
    kind = column.kind if column is not None else (ColumnKind.TEXT if category else ColumnKind.RATE)
    try:
        if kind is ColumnKind.TEXT:
            return np.where(mask, cells, "").astype(object)
        if kind is ColumnKind.FLAG:
            return np.where(mask, cells, False).astype(np.bool_)
        numbers: Array = np.where(mask, cells, 0)
        if numbers.dtype.kind in "iu" and kind is not ColumnKind.RATE:
            return numbers.astype(np.int64)
        reals = numbers.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise refuse(Reason.SCHEMA_MISMATCH, name, f"holds cells that are no {kind}.", "Send it in the schema's type.") from error
    if reals.ndim == 1:
        return reals
    if bool((reals != np.trunc(reals)).any()):
        raise refuse(Reason.SCHEMA_MISMATCH, name, "holds fractions.", "Send whole numbers (money in minor units).")
    return reals.astype(np.int64)


def _read(answer: pb.ScoreAccountsResponse) -> ScoredTable:
    told = answer.columns
    accounts = decode_chunk(told.accounts, "columns.accounts")
    shape = (accounts.row_count, len(told.queue_ids))
    cells = decode_chunk(told.queues, "columns.queues")
    nothing: dict[str, Any] = dict.fromkeys(("blocking_rule", *_MINUTES), -1) | {"offered_attempts": 0}
    queues = {name: values.reshape(shape) for name, values in cells.values.items()}
    for name, value in nothing.items():
        found = queues.get(name, np.full(shape, value, dtype=np.int64))
        queues[name] = np.where(cells.present[name].reshape(shape), found, value) if name in cells.present else found
    dates = np.full(shape, np.datetime64("NaT", "D"))
    if "next_eligible_date" in queues:
        known = queues["next_eligible_date"] != None  # noqa: E711 - cell by cell
        dates[known] = queues["next_eligible_date"][known].astype("datetime64[D]")
    queues["next_eligible_date"] = dates
    places = (shape[0], told.reason_count)
    reasons = decode_chunk(told.reason_codes, "columns.reason_codes")
    reason = reasons.values.get("reason", np.zeros(0, dtype=np.int64))
    reason = np.where(reasons.present.get("reason", np.True_), reason, -1).reshape(places)
    contribution = reasons.values.get("contribution", np.zeros(0)).reshape(places)
    return ScoredTable(accounts.values, tuple(told.queue_ids), queues, reason, contribution, answer)
