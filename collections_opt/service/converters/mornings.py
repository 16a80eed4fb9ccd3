"""Two mornings of one book as a message."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import morning_pb2 as pb
from collections_opt.application.answers.mornings import ComparedMornings
from collections_opt.core.accounts.column_names import told_column
from collections_opt.core.evaluation.mornings import Cause, Change, MorningChanges
from collections_opt.wire.common import write_date, write_enum


def rows_of(changes: MorningChanges, wanted: Set[Change]) -> NDArray[np.int64]:
    """Return int64 (k,) the rows of accounts with the changes that were asked for; none asks for all that are not the same."""
    asked = wanted or set(Change) - {Change.SAME}
    return np.flatnonzero(np.isin(changes.change, [int(change) for change in asked]))


def write_mornings(found: ComparedMornings, rows: Sequence[int], next_page_token: str) -> pb.CompareMorningsResponse:
    """Return the counts of all accounts, and the accounts of some rows."""
    changes, gained = found.changes, found.changes.increments_minor()
    return pb.CompareMorningsResponse(
        currency_code=found.currency_code,
        before_as_of_date=write_date(found.before_as_of),
        after_as_of_date=write_date(found.after_as_of),
        counts=[
            pb.MorningCount(
                change=_change(change),
                cause=_cause(cause),
                account_count=count,
                increment_gained_minor_units=gained[change, cause],
            )
            for (change, cause), count in changes.counts().items()
        ],
        differences=[pb.MorningDifference(column=told_column(name), account_count=count) for name, count in changes.differing],
        versions=[_version(*each) for each in found.versions],
        accounts=[_account(changes, row) for row in rows],
        next_page_token=next_page_token,
    )


def _version(name: str, was: str, now: str) -> pb.MorningVersion:
    return pb.MorningVersion(setting=write_enum(pb.MorningSetting.DESCRIPTOR, name.upper()), before=was, after=now)


def _account(changes: MorningChanges, row: int) -> pb.MorningAccount:
    names = (*changes.queue_ids, "")
    return pb.MorningAccount(
        account_id=changes.account_id[row].decode(),
        change=_change(Change(int(changes.change[row]))),
        cause=_cause(Cause(int(changes.cause[row]))),
        before_queue_id=names[int(changes.queue_before[row])],
        after_queue_id=names[int(changes.queue_after[row])],
        before_increment_minor_units=int(changes.increment_before_minor[row]),
        after_increment_minor_units=int(changes.increment_after_minor[row]),
    )


def _change(change: Change) -> pb.MorningChange.ValueType:
    written: pb.MorningChange.ValueType = write_enum(pb.MorningChange.DESCRIPTOR, change.name)
    return written


def _cause(cause: Cause) -> pb.MorningCause.ValueType:
    if cause is Cause.NONE:
        return pb.MORNING_CAUSE_UNSPECIFIED
    written: pb.MorningCause.ValueType = write_enum(pb.MorningCause.DESCRIPTOR, cause.name)
    return written
