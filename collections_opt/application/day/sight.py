"""Which accounts a limited caller may tell or hear of: those of portfolios in sight."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.scopes import present_scope, seeing
from collections_opt.ledger.events.event_ids import InSight, everything
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import PortfolioRecord
from collections_opt.ledger.sealing.keystream import KEY_BYTES
from collections_opt.ledger.sealing.sealing import unseal

LATEST_BOOKS = 60
"""Portfolios in sight that are looked through, the newest first: an account that none of them holds is out of sight."""

_KEPT = 16
"""Portfolios whose key numbers stay in memory, 8 bytes an account."""

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class AccountsInSight:
    """Finds accounts among the portfolios that the present scope lets be seen. Safe to use from any thread."""

    def __init__(self, ledger: Ledger, sealed: SealedRecords) -> None:
        self._ledger = ledger
        self._sealed = sealed
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Numbers] = OrderedDict()

    def mask(self, numbers: Numbers) -> Flags:
        """Return which accounts are in sight, by key number, bool (n,); -1 never is."""
        seen = np.zeros(numbers.size, dtype=np.bool_)
        for book in self._books():
            if seen[numbers >= 0].all():
                break
            seen |= np.isin(numbers, self._numbers_of(book)) & (numbers >= 0)
        return seen

    def of_caller(self) -> InSight:
        """Return what tells the present caller's accounts, also where everything is seen meanwhile."""
        scope = present_scope()

        def mask(numbers: Numbers) -> Flags:
            with seeing(scope):
                return self.mask(numbers)

        return mask if scope.is_limited else everything

    def require_account(self, field: str, account_id: str, customer_id: str) -> None:
        """Refuse an account out of sight, whether it exists or not, and a person who does not owe it.

        Raises:
            CollectionsError: PERMISSION_DENIED.
        """
        number = self._sealed.key_number(account_id) if account_id else None
        book = None if number is None else next((one for one in self._books() if number in self._numbers_of(one)), None)
        if number is None or book is None:
            raise out_of_sight(field)
        if customer_id and self._owner(book, number) != customer_id:
            raise out_of_sight("customer_id")

    def _owner(self, book: PortfolioRecord, number: int) -> str:
        table = self._sealed.table(book.object_digest)
        row = np.flatnonzero(table.key_no == number)[:1]
        keys = np.zeros((table.row_count, KEY_BYTES), dtype=np.uint8)
        keys[row] = self._sealed.keys_of_numbers(table.key_no[row])
        owner = unseal(table, keys).columns["customer_id"].tolist()
        return owner[0].decode() if owner else ""

    def _books(self) -> Iterator[PortfolioRecord]:
        yield from self._ledger.portfolios.newest(LATEST_BOOKS)

    def _numbers_of(self, book: PortfolioRecord) -> Numbers:
        with self._lock:
            found = self._kept.get(book.object_digest)
        if found is None:
            found = np.sort(self._sealed.table(book.object_digest).key_no)
        with self._lock:
            self._kept[book.object_digest] = found
            self._kept.move_to_end(book.object_digest)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def sees_all() -> bool:
    """Return whether nothing is out of the present caller's sight."""
    return not present_scope().is_limited


def out_of_sight(field: str) -> CollectionsError:
    """Return the refusal of an account or person that a limited token does not see."""
    told = "is not among what your token may see."
    return refuse(Reason.PERMISSION_DENIED, field, told, "Name an account of a portfolio in sight, or ask for a wider token.")
