"""Which accounts belong to one person: the unit that is contacted, and that rules about people bind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio

_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Persons:
    """n accounts of p persons, numbered in the order in which their first account comes.

    Attributes:
        of: int32 (n,) person of each account.
        order: int32 (n,) the accounts grouped by person, within a person in their own order.
        start: int64 (p + 1,) where each person's accounts start in ``order``.
    """

    of: NDArray[np.int32]
    order: NDArray[np.int32]
    start: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of persons p."""
        return len(self.start) - 1

    @cached_property
    def account_count(self) -> NDArray[np.int64]:
        """Accounts of each person, int64 (p,)."""
        return np.diff(self.start)

    def any_of(self, accounts: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return where an account belongs to a person of whom some account is marked, bool (n,)."""
        marked = np.zeros(self.count, dtype=bool)
        marked[self.of[accounts]] = True
        return np.asarray(marked[self.of], dtype=bool)

    def take(self, persons: NDArray[np.int64]) -> tuple[NDArray[np.int64], Persons]:
        """Return the accounts of some persons, int64 (k,) person by person, and these persons over those accounts."""
        count = self.account_count[persons]
        start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        places = np.repeat(self.start[persons] - start[:-1], count) + np.arange(start[-1])
        of = np.repeat(np.arange(len(persons), dtype=np.int32), count)
        return self.order[places].astype(np.int64), Persons(of, np.arange(len(of), dtype=np.int32), start)


def persons_of(portfolio: Portfolio) -> Persons | None:
    """Return who has several accounts, by ``customer_id``; None if nobody has. An account without one is its own person."""
    if portfolio.account_count < 2:
        return None
    return grouped(numbered(portfolio.column("customer_id")))


def numbered(customer_id: NDArray[np.bytes_]) -> NDArray[np.int32]:
    """Return the person of each account, int32 (n,), numbered in the order of their first accounts; b"" is nobody else."""
    rows = len(customer_id)
    key = _hashed(customer_id)
    nameless = customer_id == b""
    order = np.argsort(key, kind="stable")
    starts = np.ones(rows, dtype=bool)
    starts[1:] = key[order[1:]] != key[order[:-1]]
    first = np.empty(rows, dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(starts, np.arange(rows), 0))] if rows else order
    follows = np.flatnonzero(first != np.arange(rows))
    if (customer_id[follows] != customer_id[first[follows]]).any():  # two ids with one hash: compare the ids themselves
        _, leader, inverse = np.unique(customer_id, return_index=True, return_inverse=True)
        first = leader[inverse]
    first = np.where(nameless, np.arange(rows), first)
    leads = first == np.arange(rows)
    return (np.cumsum(leads) - 1)[first].astype(np.int32)


def grouped(of: NDArray[np.int32]) -> Persons | None:
    """Return persons by number (0 to p - 1, each with an account); None if each has one account."""
    count = np.bincount(of) if of.size else np.zeros(0, dtype=np.int64)
    if count.max(initial=0) <= 1:
        return None
    order = np.argsort(of, kind="stable").astype(np.int32)
    return Persons(of.astype(np.int32), order, np.concatenate([[0], np.cumsum(count)]).astype(np.int64))


def _hashed(texts: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each text, uint64 (n,): sorting numbers is several times faster than sorting texts."""
    words = -(-texts.dtype.itemsize // 8)
    padded = np.ascontiguousarray(texts.astype(f"S{8 * words}")).view(np.uint64).reshape(len(texts), words)
    key = np.zeros(len(texts), dtype=np.uint64)
    for word in range(words):
        key = (key ^ padded[:, word]) * _FIRST
        key = (key ^ (key >> _HALF)) * _SECOND
    return key
