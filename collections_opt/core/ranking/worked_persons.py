"""Who is contacted about which account in a recorded ranking, ready to ask about further accounts of the same persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.problem.person_choice import NEVER, Beside
from collections_opt.core.ranking.ranking import Entries

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class WorkedPersons:
    """The persons whom a ranking contacts, sorted by customer id.

    Attributes:
        customer_id: bytes (w,).
        row: int64 (w,) row of the account in the ranking.
        account_id: bytes (w,) its id.
        margin: int64 (w,) what it leaves.
        queue: int64 (w,) where it is worked.
        seconds: int64 (w,) its handling time.
    """

    customer_id: NDArray[np.bytes_]
    row: Ints
    account_id: NDArray[np.bytes_]
    margin: Ints
    queue: Ints
    seconds: Ints

    def beside(self, portfolio: Portfolio, rows: Ints) -> Beside:
        """Return the worked account of each account's person, if it is not among these accounts.

        Args:
            portfolio: m accounts.
            rows: int64 (m,) row of each in the ranking, -1 for one that it does not hold.
        """
        wanted = portfolio.column("customer_id")
        if not self.row.size:
            nothing = np.full(wanted.size, -1)
            return Beside(np.full(wanted.size, b"", dtype="S1"), np.full(wanted.size, NEVER), nothing, nothing)
        place = np.minimum(np.searchsorted(self.customer_id, wanted), self.row.size - 1)
        known = (self.customer_id[place] == wanted) & (wanted != b"") & ~np.isin(self.row[place], rows)
        return Beside(
            account_id=np.where(known, self.account_id[place], b""),
            margin=np.where(known, self.margin[place], NEVER),
            queue=np.where(known, self.queue[place], -1),
            seconds=np.where(known, self.seconds[place], 0),
        )


def worked_persons(entries: Entries, customer_id: NDArray[np.bytes_], margin: Ints) -> WorkedPersons:
    """Return the persons whom a ranking contacts.

    Args:
        entries: of n accounts.
        customer_id: bytes (n,) b"" where an account is its own person.
        margin: int64 (w,) of each account worked, in the order of the entries; empty if nobody is to be found.
    """
    rows = np.flatnonzero(entries.queue != UNASSIGNED)[: margin.size]
    named = np.flatnonzero(customer_id[rows] != b"")
    order = named[np.argsort(customer_id[rows[named]], kind="stable")]
    held = rows[order]
    cells = (entries.queue[held].astype(np.int64), entries.seconds[held].astype(np.int64))
    return WorkedPersons(customer_id[held], held, entries.account_id[held], margin[order], *cells)
