"""Which account of a person prices choose: the largest margin, among equals the one that is worked already, then the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = int(np.iinfo(np.int64).min)
"""Margin of a cell that must not be worked."""
NOBODY = -1
OUTSIDE = -2
"""Row of a rival that is not among the accounts at hand."""


@dataclass(frozen=True)
class Beside:
    """The account of the same person that a ranking works and that is not among the m accounts at hand.

    Attributes:
        account_id: bytes (m,), b"" for none.
        margin: int64 (m,) what it leaves at the ranking's prices, in ``1 / PRICE_SCALE`` minor units; ``NEVER`` for none.
        queue: int64 (m,) where it is worked, -1 for none.
        seconds: int64 (m,) its handling time there.
    """

    account_id: NDArray[np.bytes_]
    margin: Ints
    queue: Ints
    seconds: Ints


@dataclass(frozen=True)
class Standing:
    """What a ranking decided for accounts, where it stands; m accounts.

    Attributes:
        unchanged: bool (m,) accounts whose decision stands, as long as no other account of their person is worth more.
        queue: int16 (m,) their recorded queue, read where ``unchanged``.
        beside: what is worked outside of these accounts.
    """

    unchanged: Flags
    queue: NDArray[np.int16]
    beside: Beside

    @property
    def kept(self) -> Flags:
        """Accounts that are worked, and stay so unless another of their person wins; bool (m,)."""
        return np.asarray(self.unchanged & (self.queue >= 0), dtype=bool)


def candidate_cells(workable: Flags, margin: Ints, standing: Standing | None) -> Ints:
    """Return the margins with which accounts stand for their persons, int64 (m, q), ``NEVER`` where they do not.

    An account whose decision stands has the cell it is worked in, or none; any other has all that are workable.
    """
    cells = np.where(workable, margin, NEVER)
    if standing is not None:
        cells[standing.unchanged] = NEVER
        rows = np.flatnonzero(standing.kept)
        cells[rows, standing.queue[rows]] = margin[rows, standing.queue[rows]]
    return cells


@dataclass(frozen=True)
class Rivals:
    """The best other account of each account's person.

    Attributes:
        needed: int64 (m,) smallest margin with which the account is its person's choice; ``NEVER`` without a rival.
        row: int64 (m,) the rival's row, ``OUTSIDE`` or ``NOBODY``.
    """

    needed: Ints
    row: Ints


def rivals(persons: Persons | None, margin: Ints, wanted: Flags, kept: Flags, beside: Ints | None = None) -> Rivals:
    """Return what each account has to beat.

    Args:
        persons: of the accounts; None if each is its own.
        margin: int64 (m,) of each account's best cell.
        wanted: bool (m,) accounts that may be chosen.
        kept: bool (m,) those of them that are worked already.
        beside: as in ``Standing``.
    """
    count = len(margin)
    needed, row = np.full(count, NEVER), np.full(count, NOBODY)
    if persons is not None:
        rows = np.flatnonzero(wanted)
        order = rows[np.lexsort((rows, ~kept[rows], -margin[rows], persons.of[rows]))]
        best, second = np.full(persons.count, NOBODY), np.full(persons.count, NOBODY)
        person = persons.of[order]
        leads = np.append(True, person[1:] != person[:-1])[: len(order)]
        best[person[leads]] = order[leads]
        follows = np.flatnonzero(~leads & np.append(False, leads[:-1])[: len(order)])
        second[person[follows]] = order[follows]
        everyone = np.arange(count)
        row = np.where(best[persons.of] == everyone, second[persons.of], best[persons.of])
        at = np.maximum(row, 0)
        wins_ties = (kept & ~kept[at]) | ((kept == kept[at]) & (everyone < at))
        needed = np.where(row == NOBODY, NEVER, margin[at] + ~wins_ties)
    if beside is not None:
        outside = (beside != NEVER) & (beside >= needed)
        needed, row = np.where(outside, beside + 1, needed), np.where(outside, OUTSIDE, row)
    return Rivals(needed.astype(np.int64), row.astype(np.int64))
