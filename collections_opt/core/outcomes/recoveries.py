"""What came back of accounts after their default: what events tell, counted over one time for all and discounted to the default.

A pure function of columns. What was paid by the end of the day of the default lowers the exposure; what was paid later within the
workout came back, so no money counts twice. None after the workout counts: accounts that defaulted long ago would else have more
time to pay than those of yesterday.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.recovered_accounts import RecoveredAccounts
from collections_opt.core.day.event_columns import EventColumns, local_days
from collections_opt.core.day.events import EventKind, OutcomeCode
from collections_opt.core.value.discounting import delta

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

LEFT_SIGHT = (OutcomeCode.SOLD, OutcomeCode.RECALLED)
"""Ends after which others collect, so that what comes back is not told."""


@dataclass(frozen=True)
class Workout:
    """How recoveries are counted.

    Attributes:
        days: after the default over which they count, of every account alike.
        discount_rate: yearly rate r of delta(t) = (1 + r)^(-t/365).
        time_zone: IANA zone of whose days they are.
    """

    days: int
    discount_rate: float
    time_zone: str


@dataclass(frozen=True)
class Defaults:
    """n accounts that defaulted, with what was owed as it was last stated by a portfolio.

    Attributes:
        account_id: bytes (n,), each once.
        day: int64 (n,) day numbers of the default, 0 is 1970-01-01.
        balance_minor: int64 (n,) minor units.
        stated: int64 (n,) microseconds UTC at which that balance stood.
    """

    account_id: NDArray[np.bytes_]
    day: Ints
    balance_minor: Ints
    stated: Ints

    @property
    def count(self) -> int:
        """Number of accounts n."""
        return int(self.day.size)

    def restated(self, account_id: NDArray[np.bytes_], balance_minor: Ints, day: int, at: int) -> Defaults:
        """Return the same with the balances of a later portfolio, where it has something owed by the day of the default.

        Args:
            account_id: sorted bytes (m,).
            balance_minor: int64 (m,).
            day: day number that the portfolio describes.
            at: when that day began, microseconds UTC.
        """
        if not account_id.size:
            return self
        place = np.minimum(np.searchsorted(account_id, self.account_id), account_id.size - 1)
        known = (account_id[place] == self.account_id) & (balance_minor[place] > 0) & (day <= self.day) & (at > self.stated)
        balance = np.where(known, balance_minor[place], self.balance_minor)
        return replace(self, balance_minor=balance, stated=np.where(known, at, self.stated))


@dataclass(frozen=True)
class Recoveries:
    """What came back, and of how many accounts that is not known, by why."""

    accounts: RecoveredAccounts
    left_out: Mapping[str, int]


def recoveries(defaults: Defaults, events: EventColumns, workout: Workout) -> Recoveries:
    """Return what came back of accounts after their default.

    Args:
        defaults: n accounts.
        events: theirs, ``row`` 0 to n - 1, in any order, each once.
        workout: how recoveries are counted.

    Raises:
        CollectionsError: as ``RecoveredAccounts``.
    """
    events = events.take(events.standing())
    day = local_days(events.occurred, np.full(events.count, workout.time_zone, dtype=object))
    exposure = _exposure(defaults, events, day)
    since = day - defaults.day[events.row]
    within = (since > 0) & (since <= workout.days)
    paid = within & events.is_kind(EventKind.PAYMENT)
    amount = events.numbers["amount_minor"][paid] * delta(since[paid].astype(np.float64), workout.discount_rate)
    recovered = np.bincount(events.row[paid], weights=amount, minlength=defaults.count)
    ended = (since >= 0) & (since <= workout.days) & events.is_kind(EventKind.OUTCOME)
    ended &= np.isin(events.texts["outcome"], [code.value.encode() for code in LEFT_SIGHT])
    gone = np.zeros(defaults.count, dtype=bool)
    gone[events.row[ended]] = True
    kept = ~gone & (exposure > 0)
    on = defaults.day[kept].astype("datetime64[D]")
    accounts = RecoveredAccounts(
        defaults.account_id[kept], on, exposure[kept], np.rint(recovered[kept]).astype(np.int64), on + workout.days
    )
    left_out = {"sold or recalled within the workout": int(gone.sum()), "nothing owed": int((~gone & (exposure <= 0)).sum())}
    return Recoveries(accounts, MappingProxyType(left_out))


def _exposure(defaults: Defaults, events: EventColumns, day: Ints) -> Ints:
    """Return what was owed when the day of the default ended, int64 (n,) minor units.

    The last balance above zero that was stated, less what was paid since. A balance of zero on charge-off is bookkeeping.
    """
    row = events.row
    by_then = day <= defaults.day[row]
    says = events.is_kind(EventKind.BALANCE) & (events.numbers["balance_minor"] > 0) & by_then
    last = events.last_by_row(says & (events.occurred > defaults.stated[row]))
    balance, stated = defaults.balance_minor.copy(), defaults.stated.copy()
    balance[row[last]], stated[row[last]] = events.numbers["balance_minor"][last], events.occurred[last]
    paid = events.is_kind(EventKind.PAYMENT) & by_then & (events.occurred > stated[row])
    np.subtract.at(balance, row[paid], events.numbers["amount_minor"][paid])
    return balance


def of_rows(events: EventColumns, rows: Sequence[int] | Ints) -> EventColumns:
    """Return the events of some rows, which become 0 to k - 1 in the order given.

    Args:
        events: of many rows.
        rows: (k,) each once.
    """
    wanted = np.asarray(rows, dtype=np.int64)
    place = np.full(int(max(wanted.max(initial=-1), events.row.max(initial=-1))) + 1, -1, dtype=np.int64)
    place[wanted] = np.arange(wanted.size)
    mine = events.take(place[events.row] >= 0)
    return replace(mine, row=place[mine.row])
