"""Two mornings of one book: who came, who left, who moved between queues, and what of an account differed.

The cause told is the first thing that differs for the account itself, in the order of ``Cause``. It is read off two records and
is no counterfactual: what would have happened had only that differed takes a ranking of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.core.arrays import Array
from collections_opt.core.ranking.ranking import Disposition, Entries

AGEING: frozenset[str] = frozenset({"days_past_due", "days_to_charge_off", "days_since_conversation", "months_on_book"})
"""Columns that move by themselves from one day to the next."""


class Change(IntEnum):
    """What became of an account between two mornings."""

    SAME = 0
    """In the same queue, or in none both times."""
    NEW = 1
    """In the later book only."""
    GONE = 2
    """In the earlier book only."""
    ENTERED = 3
    """Worked in the later morning and not in the earlier."""
    LEFT = 4
    """Worked in the earlier morning and not in the later."""
    MOVED = 5
    """Worked in another queue."""


class Cause(IntEnum):
    """The first thing that differs for an account, in this order; NONE where it is the same, new or gone."""

    NONE = 0
    FACTS = 1
    """A fact of its row in the account schema, other than by the days that went by."""
    AGED = 2
    """Its days past due, and what else counts days."""
    RULES = 3
    """Its row is the same and a rule blocks it in one of the mornings only."""
    MODEL = 4
    """Its row is the same and its probabilities are not."""
    VALUES = 5
    """Its probabilities are the same, what it is worth without contact or in its queue is not."""
    CAPACITY = 6
    """All of that is the same: the plan, the prices of queues or other accounts decided."""


@dataclass(frozen=True)
class Morning:
    """A recorded ranking of a book.

    Attributes:
        portfolio: its accounts, sorted by id.
        entries: what was decided, one row per account in the same order.
        queue_ids: of the plan, in its order; ``entries.queue`` counts them.
    """

    portfolio: Portfolio
    entries: Entries
    queue_ids: tuple[str, ...]


@dataclass(frozen=True)
class MorningChanges:
    """What differs between two mornings, one row per account of either, sorted by id; n accounts.

    Attributes:
        account_id: bytes (n,).
        change: uint8 (n,), a ``Change``.
        cause: uint8 (n,), a ``Cause``.
        queue_before, queue_after: int16 (n,) place in ``queue_ids``; -1 where it was not worked or not there.
        increment_before_minor, increment_after_minor: int64 (n,) of the cell that the entries describe; 0 where it was not there.
        queue_ids: queues of both plans, those of the earlier first.
        differing: accounts of both books by the name of each column in which they differ, most first.
    """

    account_id: NDArray[np.bytes_]
    change: NDArray[np.uint8]
    cause: NDArray[np.uint8]
    queue_before: NDArray[np.int16]
    queue_after: NDArray[np.int16]
    increment_before_minor: NDArray[np.int64]
    increment_after_minor: NDArray[np.int64]
    queue_ids: tuple[str, ...]
    differing: tuple[tuple[str, int], ...]

    def counts(self) -> dict[tuple[Change, Cause], int]:
        """Return how many accounts there are of each change and cause that occurs."""
        found, count = np.unique(self.change.astype(np.int64) * len(Cause) + self.cause, return_counts=True)
        return {
            (Change(int(key) // len(Cause)), Cause(int(key) % len(Cause))): int(n) for key, n in zip(found, count, strict=True)
        }

    def increments_minor(self) -> dict[tuple[Change, Cause], int]:
        """Return the increment of worked accounts in the later morning less that in the earlier, by change and cause."""
        gained = np.where(self.queue_after >= 0, self.increment_after_minor, 0)
        gained = gained - np.where(self.queue_before >= 0, self.increment_before_minor, 0)
        return {key: int(gained[(self.change == key[0]) & (self.cause == key[1])].sum()) for key in self.counts()}


def compare_mornings(before: Morning, after: Morning) -> MorningChanges:
    """Return what differs between two rankings of one book; columns are compared, never accounts one by one."""
    ids = np.union1d(before.entries.account_id, after.entries.account_id)
    old, new = _rows(before.entries.account_id, ids), _rows(after.entries.account_id, ids)
    queue_ids = (*before.queue_ids, *(name for name in after.queue_ids if name not in before.queue_ids))
    queue_before, queue_after = (_queues(morning, rows, queue_ids) for morning, rows in ((before, old), (after, new)))
    both = np.flatnonzero((old >= 0) & (new >= 0))
    change = _change(old, new, queue_before, queue_after)
    cause = np.full(len(ids), Cause.NONE, dtype=np.uint8)
    of_both, differing = _causes(before, after, old[both], new[both])
    cause[both] = of_both
    cause[(change == Change.SAME) | (change == Change.NEW) | (change == Change.GONE)] = Cause.NONE
    return MorningChanges(
        ids,
        change,
        cause,
        queue_before,
        queue_after,
        _taken(before.entries.increment_minor, old),
        _taken(after.entries.increment_minor, new),
        queue_ids,
        differing,
    )


def _rows(sorted_ids: NDArray[np.bytes_], wanted: NDArray[np.bytes_]) -> NDArray[np.int64]:
    if not sorted_ids.size:
        return np.full(wanted.size, -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(sorted_ids, wanted), sorted_ids.size - 1)
    return np.where(sorted_ids[place] == wanted, place, -1)


def _taken(values: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(rows >= 0, values[np.maximum(rows, 0)] if values.size else 0, 0)


def _queues(morning: Morning, rows: NDArray[np.int64], queue_ids: tuple[str, ...]) -> NDArray[np.int16]:
    place = np.array([*(queue_ids.index(name) for name in morning.queue_ids), -1], dtype=np.int16)  # the last: not worked
    own = np.append(morning.entries.queue, np.int16(-1))
    return place[own[rows]]


def _change(
    old: NDArray[np.int64], new: NDArray[np.int64], before: NDArray[np.int16], after: NDArray[np.int16]
) -> NDArray[np.uint8]:
    cases = [old < 0, new < 0, (before < 0) & (after >= 0), (before >= 0) & (after < 0), before != after]
    return np.select(cases, [Change.NEW, Change.GONE, Change.ENTERED, Change.LEFT, Change.MOVED], Change.SAME).astype(np.uint8)


def _causes(
    before: Morning, after: Morning, old: NDArray[np.int64], new: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], tuple[tuple[str, int], ...]]:
    """Return uint8 (b,) the cause of each account of both books, and in which columns how many differ."""
    facts, aged = np.zeros(len(old), dtype=bool), np.zeros(len(old), dtype=bool)
    counts: dict[str, int] = {}
    for name in ACCOUNT_SCHEMA:
        if name == "account_id" or not (before.portfolio.holds(name) or after.portfolio.holds(name)):
            continue
        differs = _differs(before.portfolio, after.portfolio, name, old, new)
        counts[name] = int(differs.sum())
        if name in AGEING:
            aged |= differs
        else:
            facts |= differs
    counts["own columns"] = int((own := _own_differs(before.portfolio, after.portfolio, old, new)).sum())
    facts |= own
    was, now = before.entries, after.entries
    blocked = (was.disposition[old] == Disposition.INELIGIBLE) != (now.disposition[new] == Disposition.INELIGIBLE)
    scored = (was.p_cure_nano[old] != now.p_cure_nano[new]) | (was.p_default_nano[old] != now.p_default_nano[new])
    valued = was.recovery_without_contact_minor[old] != now.recovery_without_contact_minor[new]
    cause = np.select(
        [facts, aged, blocked, scored, valued],
        [Cause.FACTS, Cause.AGED, Cause.RULES, Cause.MODEL, Cause.VALUES],
        Cause.CAPACITY,
    ).astype(np.uint8)
    most = sorted(((name, count) for name, count in counts.items() if count), key=lambda item: (-item[1], item[0]))
    return cause, tuple(most)


def _differs(before: Portfolio, after: Portfolio, name: str, old: NDArray[np.int64], new: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return bool (b,) whether a schema column differs, cells that are missing included; months that one lacks are missing."""
    was, now = before.column(name)[old], after.column(name)[new]
    known_was, known_now = before.is_present(name)[old], after.is_present(name)[new]
    if was.ndim > 1:
        months = max(was.shape[1], now.shape[1])
        was, known_was, now, known_now = (_padded(each, months) for each in (was, known_was, now, known_now))
    differs = (known_was != known_now) | (known_was & known_now & (was != now))
    return np.asarray(differs.any(axis=1) if differs.ndim > 1 else differs, dtype=bool)


def _own_differs(before: Portfolio, after: Portfolio, old: NDArray[np.int64], new: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return bool (b,) whether the lender's own columns differ; everywhere where one book declares others."""
    if before.own is None or after.own is None:
        return np.full(len(old), (before.own is None) != (after.own is None))
    return ~before.own.take(old).same_rows(after.own.take(new))


def _padded(cells: Array, months: int) -> Array:
    return np.pad(cells, ((0, 0), (0, months - cells.shape[1])))
