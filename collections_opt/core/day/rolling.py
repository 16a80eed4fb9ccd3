"""Portfolios that follow from another one and events: how a later day begins, and what is left of a day that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import AGE_COLUMNS
from collections_opt.core.arrays import Array
from collections_opt.core.day.event_columns import EventColumns, microseconds
from collections_opt.core.day.events import EventKind
from collections_opt.core.day.live import LiveAccounts, Moment, Removal, live_accounts

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

PERSON_WORKED = "PERSON_WORKED"
"""Left out because the person was contacted today about another account."""

HELD = "HELD"
"""Left out because an agent holds the account, or another of the person."""


@dataclass(frozen=True)
class RolledAccounts:
    """A portfolio that follows from another.

    Attributes:
        portfolio: the accounts that stay, as they stand.
        kept: int64 (k,) their rows in the portfolio that it follows from.
        left_out: accounts that do not stay, by why.
    """

    portfolio: Portfolio
    kept: Ints
    left_out: Mapping[str, int]


def day_begins(portfolio: Portfolio, day: date) -> datetime:
    """Return the instant at which a day begins where a portfolio's lender is."""
    return datetime.combine(day, time(), ZoneInfo(portfolio.time_zone))


def roll_forward(portfolio: Portfolio, events: EventColumns, moment: Moment, events_are_complete: bool) -> RolledAccounts:
    """Return how a portfolio stands when a later day begins; accounts that left collections are gone.

    Histories by month stay as they came: a month is closed by the lender's books, not by events.

    Args:
        portfolio: n accounts as they came.
        events: of these accounts, in any order.
        moment: what is asked; ``day`` is the day that begins.
        events_are_complete: every contact, flag and choice since the portfolio's day was told, so that these facts are as old
            as they were then; else they are older by the days that passed.
    """
    live = live_accounts(portfolio, events, moment)
    told = replace(live, portfolio=_as_old_as_they_came(live.portfolio, portfolio)) if events_are_complete else live
    closed = live.removal == Removal.CLOSED
    return _kept(portfolio, told, {Removal.CLOSED.name: closed})


def remaining_accounts(
    portfolio: Portfolio, events: EventColumns, moment: Moment, held: Mask, several_contacts_per_person: bool
) -> RolledAccounts:
    """Return the accounts of a running day that are still to be decided, as they stand.

    Args:
        portfolio: n accounts as the day began.
        events: of these accounts, in any order.
        moment: now.
        held: bool (n,) accounts that an agent holds, with the others of their persons.
        several_contacts_per_person: whether a person who was contacted may be contacted about another account.
    """
    live = live_accounts(portfolio, events, moment)
    reasons = {one.name: live.removal == one for one in Removal if one is not Removal.NONE}
    if not several_contacts_per_person:
        reasons[PERSON_WORKED] = live.person_worked > 0
    return _kept(portfolio, live, {**reasons, HELD: held})


def spent_seconds(events: EventColumns, queue_ids: tuple[str, ...], since: datetime) -> Ints:
    """Return the handling time that contacts of each queue took since an instant, int64 (q,); repeated events count once."""
    contacts = events.is_kind(EventKind.CONTACT) & (events.occurred >= microseconds(since))
    at = np.flatnonzero(contacts)
    _, first = np.unique(events.sequence[at], return_index=True)
    at = at[first]
    queues = events.texts["queue_id"][at]
    seconds = events.numbers["seconds"][at]
    return np.array([seconds[queues == name.encode()].sum() for name in queue_ids], dtype=np.int64)


def _as_old_as_they_came(live: Portfolio, came: Portfolio) -> Portfolio:
    columns, present = dict(live.columns), dict(live.present)
    for name in AGE_COLUMNS.values():
        columns.pop(name, None)
        present.pop(name, None)
        if came.holds(name):
            columns[name], present[name] = came.column(name), came.is_present(name)
    return replace(live, columns=columns, present=present)


def _kept(came: Portfolio, live: LiveAccounts, reasons: Mapping[str, Mask]) -> RolledAccounts:
    gone = np.zeros(came.account_count, dtype=bool)
    left_out: dict[str, int] = {}
    for name, mask in reasons.items():
        new = mask & ~gone
        if new.any():
            left_out[name] = int(new.sum())
        gone |= new
    kept = np.flatnonzero(~gone)
    return RolledAccounts(_trimmed(live.portfolio.take(kept), came), kept, MappingProxyType(left_out))


def same_accounts(one: Portfolio, other: Portfolio) -> bool:
    """Return whether two portfolios say the same of the same accounts, however wide their texts are held."""
    mine, theirs = _held(one), _held(other)
    if mine.keys() != theirs.keys() or one.as_of_date != other.as_of_date:
        return False
    return all(np.array_equal(column, theirs[name], equal_nan=column.dtype.kind == "f") for name, column in mine.items())


def _held(portfolio: Portfolio) -> dict[str, Array]:
    masks = {f"{name}?": mask for name, mask in portfolio.present.items()}
    return {**portfolio.columns, **masks, **({} if portfolio.own is None else portfolio.own.plain())}


def _trimmed(portfolio: Portfolio, came: Portfolio) -> Portfolio:
    """Return a portfolio without columns that say nothing and that it did not come with; texts as wide as they came, where they
    fit."""
    columns = {name: column for name, column in portfolio.columns.items() if came.holds(name) or portfolio.present[name].any()}
    for name, column in columns.items():
        width = came.column(name).dtype
        if column.dtype.kind == "S" and column.dtype != width and np.array_equal(column.astype(width), column):
            columns[name] = column.astype(width)
    return replace(portfolio, columns=columns, present={name: portfolio.present[name] for name in columns})
