"""Single accounts of a stored portfolio, read without the others."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_columns import own_columns, read_header
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.ledger.sealing.some_rows import SealedFile
from collections_opt.ledger.sealing.subject_keys import SubjectKeys


class AccountRows:
    """Reads accounts of one stored portfolio; what it keeps of all accounts is a few dozen bytes of each.

    Args:
        file: the sealed accounts.
        keys: the keys of accounts.
    """

    def __init__(self, file: SealedFile, keys: SubjectKeys) -> None:
        self._file = file
        self._keys = keys
        self._lock = threading.Lock()
        self._customers: Array | None = None

    @property
    def rows(self) -> NDArray[np.int64]:
        """Number of the key of every row, int64 (n,)."""
        return self._file.key_no

    @property
    def row_groups_read(self) -> int:
        """How many row groups were read for accounts so far."""
        return self._file.row_groups_read

    def accounts(self, account_id: NDArray[np.bytes_]) -> Portfolio:
        """Return those of some accounts that are there and were not erased, by account id.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when a row or the keys are damaged.
        """
        numbers = self._keys.known_numbers(account_id)
        return self._taken(np.flatnonzero(np.isin(self._file.key_no, numbers[numbers >= 0])))

    def of_customer(self, customer_id: bytes) -> Portfolio:
        """Return all accounts of a customer that were not erased; whose accounts are whose is read once.

        Raises:
            CollectionsError: as ``accounts``.
        """
        with self._lock:
            if self._customers is None:
                self._customers = self._file.column("customer_id", self._keys.keys)
            customers = self._customers
        return self._taken(np.flatnonzero(customers == customer_id))

    def _taken(self, rows: NDArray[np.int64]) -> Portfolio:
        keys = self._keys.keys(self._file.key_no[rows])
        kept = keys.any(axis=1)
        return portfolio_of(self._file.header, self._file.rows(rows[kept], keys[kept]))


def portfolio_of(header: Mapping[str, str], columns: dict[str, Array]) -> Portfolio:
    """Return the portfolio of opened columns; takes out of them what is no column of accounts."""
    present = {name[:-1]: columns.pop(name) for name in list(columns) if name.endswith("?")}
    own = read_header(header.get("own_columns", "[]"))
    plain = {one.field: columns.pop(one.field) for one in own}
    place = (header["time_zone"], header["currency_code"])
    return Portfolio(date.fromisoformat(header["as_of_date"]), *place, columns, present, own_columns(own, plain))
