"""The live account: the portfolio's row and what happened since, as they stand at an instant.

A pure function of columns. Events may come in any order and more than once; what counts is when they happened, and what was known
when. The row says what was true when its as-of date began. What happened before counts only where it came to be known after the
import and narrows what may be done: a file that does not know of a death does not undo it, and no late fact permits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import AGE_COLUMNS, BLOCK_FLAGS, CHOICES
from collections_opt.core.arrays import Array
from collections_opt.core.day.contact_counts import WINDOW_DAYS, CountedDays, contact_counts, once
from collections_opt.core.day.event_checks import EARLY
from collections_opt.core.day.event_columns import DAY_ONE, EventColumns, day_number, local_days, microseconds
from collections_opt.core.day.events import RIGHT_PARTY_RESULTS, ContactResult, Direction, EventKind
from collections_opt.core.limits import MAX_DAYS_PAST_DUE

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

ALL_DAY = (0, 1_440)
_REACHED = [result.value.encode() for result in sorted(RIGHT_PARTY_RESULTS)]
_KIND = EventKind


class Removal(IntEnum):
    """Why an account is not worked, whatever rules say."""

    NONE = 0
    WORKED = 1
    """Somebody contacted the person today, or was contacted by them."""
    REFUSED = 2
    """The person refused today."""
    PROMISED = 3
    """A promise runs."""
    PAID = 4
    """Money arrived today."""
    CLOSED = 5
    """The account left collections."""


@dataclass(frozen=True)
class Moment:
    """What is asked: what had happened by ``at`` and was known by ``known_at`` of what was imported at ``imported_at``.

    ``through`` is the last event that rows which were rolled forward know of, -1 for rows of a file. With ``day`` it is asked how
    that day begins, wherever persons are.
    """

    at: datetime
    known_at: datetime
    imported_at: datetime
    through: int = -1
    day: date | None = None


@dataclass(frozen=True)
class LiveAccounts:
    """n accounts as they stand.

    Attributes:
        portfolio: their rows, as of the desk's day.
        removal: uint8 (n,) ``Removal``; the gravest where there are several.
        removal_event: int64 (n,) sequence of the event that removed each, 0 for none.
        latest_event: int64 (n,) sequence of the latest event about each, 0 for none.
        person_worked: int64 (n,) sequence of today's contact with the person about any of their accounts here, 0 for none.
        hours_from: int16 (n,) first minute of the person's day that they chose.
        hours_until: int16 (n,) the minute after the last.
        changed: bool (n,) where something that decides value or place changed.
    """

    portfolio: Portfolio
    removal: NDArray[np.uint8]
    removal_event: Ints
    latest_event: Ints
    person_worked: Ints
    hours_from: NDArray[np.int16]
    hours_until: NDArray[np.int16]
    changed: Mask


def live_accounts(portfolio: Portfolio, events: EventColumns, moment: Moment) -> LiveAccounts:
    """Return accounts as they stand at a moment.

    Args:
        portfolio: n rows, with all accounts of each person where persons matter.
        events: of these rows, in any order, each as often as it was told.
        moment: what is asked.
    """
    known = (events.occurred <= microseconds(moment.at + EARLY)) & (events.recorded <= microseconds(moment.known_at))
    events = events.take(known)
    events = events.take(events.standing())
    events = events.take(~events.is_kind(_KIND.REVIEW))  # whoever looks at a decision changes nothing by it
    facts = _Facts.of(portfolio, events, moment)
    columns, present = dict(portfolio.columns), dict(portfolio.present)
    _age(columns, present, portfolio, facts)
    _money(columns, present, facts)
    _flags(columns, present, portfolio, facts)
    _place(columns, present, portfolio, facts)
    _contacts(columns, present, portfolio, facts)
    moved = replace(portfolio, as_of_date=DAY_ONE + timedelta(days=facts.desk_day), columns=columns, present=present)
    return _judged(moved, facts)


@dataclass
class _Facts:
    """Events of rows with their days; ``new`` counts whatever it says, ``late`` only what narrows."""

    rows: int
    events: EventColumns
    desk_day: int
    elapsed: int
    new: Mask
    late: Mask
    day: Ints
    told_day: Ints
    today: Ints
    changed: Mask
    promised: Mask
    promise_event: Ints

    @classmethod
    def of(cls, portfolio: Portfolio, events: EventColumns, moment: Moment) -> _Facts:
        home = portfolio.time_zone
        day = moment.day or moment.at.astimezone(ZoneInfo(home)).date()
        desk_day = max(day_number(day), day_number(portfolio.as_of_date))
        since = microseconds(datetime.combine(portfolio.as_of_date, time(), ZoneInfo(home)))
        own = np.char.decode(portfolio.column("time_zone"), "utf-8").astype(object)
        zones = np.where(own == "", home, own).astype(object)
        now = np.full(zones.size, microseconds(moment.at))
        rows = portfolio.account_count
        new = events.occurred >= since
        told = events.recorded >= microseconds(moment.imported_at) if moment.through < 0 else events.sequence > moment.through
        return cls(
            rows=rows,
            events=events,
            desk_day=desk_day,
            elapsed=desk_day - day_number(portfolio.as_of_date),
            new=new,
            late=~new & told,
            day=local_days(events.occurred, zones[events.row]),
            told_day=local_days(events.recorded, zones[events.row]),
            today=np.full(rows, desk_day) if moment.day else local_days(now, zones),
            changed=np.zeros(rows, dtype=bool),
            promised=np.zeros(rows, dtype=bool),
            promise_event=np.zeros(rows, dtype=np.int64),
        )

    def is_today(self) -> Mask:
        """Return which events happened today where the person is; what lies minutes ahead counts as today."""
        return np.asarray(self.day >= self.today[self.events.row], dtype=bool)


def _own(columns: dict[str, Array], present: dict[str, Mask], portfolio: Portfolio, name: str) -> tuple[Array, Mask]:
    """Return a column and where it has values, as copies that may be written."""
    columns[name], present[name] = portfolio.column(name).copy(), portfolio.is_present(name).copy()
    return columns[name], present[name]


def _age(columns: dict[str, Array], present: dict[str, Mask], portfolio: Portfolio, facts: _Facts) -> None:
    """Let days pass since the as-of date."""
    late, _ = _own(columns, present, portfolio, "days_past_due")
    late[late > 0] = np.minimum(late[late > 0] + facts.elapsed, MAX_DAYS_PAST_DUE)
    if not facts.elapsed:
        return
    for name in AGE_COLUMNS.values():
        known = portfolio.is_present(name) | ~np.bool_(portfolio.holds(name))
        columns[name] = np.minimum(portfolio.column(name) + facts.elapsed, MAX_DAYS_PAST_DUE)
        present[name] = known
    left, there = _own(columns, present, portfolio, "days_to_charge_off")
    left[there] = np.maximum(left[there] - facts.elapsed, 0)
    if portfolio.holds("months_on_book"):
        columns["months_on_book"] = portfolio.column("months_on_book")


def _money(columns: dict[str, Array], present: dict[str, Mask], facts: _Facts) -> None:
    """Set balances that were stated, then take off what was paid since; nothing in arrears is nothing past due."""
    events = facts.events
    balance, arrears, late = (columns[name].copy() for name in ("balance_minor", "arrears_minor", "days_past_due"))
    stated_at = np.full(facts.rows, -1, dtype=np.int64)
    last = events.last_by_row(events.is_kind(_KIND.BALANCE) & facts.new)
    row = events.row[last]
    balance[row], arrears[row] = events.numbers["balance_minor"][last], events.numbers["arrears_minor"][last]
    dpd = events.numbers["days_past_due"][last]
    late[row] = np.where(dpd > 0, np.minimum(dpd + np.maximum(facts.today[row] - facts.day[last], 0), MAX_DAYS_PAST_DUE), 0)
    stated_at[row] = events.occurred[last]
    facts.changed[row] = True
    paid = events.is_kind(_KIND.PAYMENT) & facts.new & (events.occurred > stated_at[events.row])
    first = once(events, paid)
    total = np.zeros(facts.rows, dtype=np.int64)
    np.add.at(total, events.row[first], events.numbers["amount_minor"][first])
    some = total > 0
    balance[some] -= total[some]
    arrears[some] = np.maximum(arrears[some] - total[some], 0)
    late[some & (arrears <= 0)] = 0
    facts.changed |= some
    columns |= {"balance_minor": balance, "arrears_minor": arrears, "days_past_due": late}
    for name in ("balance_minor", "arrears_minor", "days_past_due"):
        present[name] = present[name] | (stated_at >= 0)


def _flags(columns: dict[str, Array], present: dict[str, Mask], portfolio: Portfolio, facts: _Facts) -> None:
    """Set and clear block flags and choices, and open promises that run."""
    events = facts.events
    for kind, field, names in ((_KIND.FLAG, "flag", BLOCK_FLAGS), (_KIND.CHANNEL_CHOICE, "choice", tuple(CHOICES))):
        of_kind = events.is_kind(kind)
        for name in np.unique(events.texts[field][of_kind]).tolist():
            text = name.decode()
            if text not in names:
                continue
            narrows = events.is_set != text.startswith("consent_")
            mine = of_kind & (events.texts[field] == name) & (facts.new | (facts.late & narrows))
            last = events.last_by_row(mine, narrows)
            values, there = _own(columns, present, portfolio, text)
            values[events.row[last]], there[events.row[last]] = events.is_set[last], True
            facts.changed[events.row[last]] = True
    _promises(facts)
    if facts.promised.any():
        values = columns["open_promise"].copy() | facts.promised
        columns["open_promise"], present["open_promise"] = values, present["open_promise"] | facts.promised


def _promises(facts: _Facts) -> None:
    """Find the promises that run: due today or later, neither kept, nor cleared since."""
    events = facts.events
    promises = events.is_kind(_KIND.PROMISE) & (events.due_day >= facts.today[events.row])
    if not promises.any():
        return
    payments = events.is_kind(_KIND.PAYMENT) & (events.texts["promise_event_id"] != b"")
    kept = set(zip(events.row[payments].tolist(), events.texts["promise_event_id"][payments].tolist(), strict=True))
    cleared = np.full(facts.rows, np.iinfo(np.int64).min)
    clears = events.is_kind(_KIND.FLAG) & (events.texts["flag"] == b"open_promise") & ~events.is_set & facts.new
    np.maximum.at(cleared, events.row[clears], events.occurred[clears])
    for at in np.flatnonzero(promises & (events.occurred >= cleared[events.row])).tolist():
        row = int(events.row[at])
        if (row, events.texts["event_id"][at]) not in kept:
            facts.promised[row] = True
            facts.promise_event[row] = max(int(facts.promise_event[row]), int(events.sequence[at]))


def _place(columns: dict[str, Array], present: dict[str, Mask], portfolio: Portfolio, facts: _Facts) -> None:
    """Move people; a new place without a zone keeps the zone it had, so that the strictest of both binds."""
    events = facts.events
    for name in ("state", "time_zone"):
        told = events.is_kind(_KIND.MOVED) & (events.texts[name] != b"") & (facts.new | facts.late)
        last = events.last_by_row(told)
        if last.size:
            held = portfolio.column(name)
            values = held.astype(np.promote_types(held.dtype, events.texts[name].dtype))
            values[events.row[last]] = events.texts[name][last]
            columns[name] = values
            present[name] = portfolio.is_present(name) | (values != b"")
            facts.changed[events.row[last]] = True


def _contacts(columns: dict[str, Array], present: dict[str, Mask], portfolio: Portfolio, facts: _Facts) -> None:
    """Count contacts in the person's own days; what was imported counts until its whole window has passed."""
    events, counts = facts.events, facts.new | facts.late
    contacts = events.is_kind(_KIND.CONTACT) & counts
    days = CountedDays(facts.day, facts.today, facts.desk_day, facts.desk_day - facts.elapsed)
    columns |= contact_counts(portfolio, events, counts, days)
    since, there = _own(columns, present, portfolio, "days_since_conversation")
    since[there] = np.minimum(since[there] + facts.elapsed, MAX_DAYS_PAST_DUE)
    talks = contacts & np.isin(events.texts["result"], _REACHED) & (events.texts["channel"] == b"CALL")
    if talks.any():
        found = np.full(facts.rows, MAX_DAYS_PAST_DUE, dtype=np.int64)
        rows = events.row[talks]
        np.minimum.at(found, rows, np.maximum(facts.today[rows] - facts.day[talks] + 1, 1))
        since[rows] = np.where(there[rows], np.minimum(since[rows], found[rows]), found[rows])
        there[rows] = True


def _judged(portfolio: Portfolio, facts: _Facts) -> LiveAccounts:
    """Return the accounts with what removes them, and the hours that their persons chose."""
    events, rows = facts.events, facts.rows
    removal, by = np.zeros(rows, dtype=np.uint8), np.zeros(rows, dtype=np.int64)
    inbound = events.texts["direction"] == Direction.INBOUND.value.encode()
    reached = np.isin(events.texts["result"], _REACHED)
    worked = events.is_kind(_KIND.CONTACT) & facts.is_today() & (~inbound | reached)
    refused = worked & (events.texts["result"] == ContactResult.RIGHT_PARTY_REFUSED.value.encode())
    told_today = (facts.told_day >= facts.today[events.row]) & (facts.today[events.row] - facts.day <= WINDOW_DAYS)
    paid = events.is_kind(_KIND.PAYMENT) & (facts.is_today() | told_today)
    closed = events.is_kind(_KIND.OUTCOME) & (facts.new | facts.late)
    for code, mask in ((Removal.WORKED, worked), (Removal.REFUSED, refused)):
        _remove(removal, by, code, events.row[mask], events.sequence[mask])
    _remove(removal, by, Removal.PROMISED, np.flatnonzero(facts.promised), facts.promise_event[facts.promised])
    for code, mask in ((Removal.PAID, paid), (Removal.CLOSED, closed)):
        _remove(removal, by, code, events.row[mask], events.sequence[mask])
    latest = np.zeros(rows, dtype=np.int64)
    np.maximum.at(latest, events.row, events.sequence)
    contact = np.zeros(rows, dtype=np.int64)
    np.maximum.at(contact, events.row[worked], events.sequence[worked])
    hours = _hours(portfolio, facts)
    return LiveAccounts(portfolio, removal, by, latest, _of_persons(portfolio, contact, np.maximum), *hours, facts.changed)


def _remove(removal: NDArray[np.uint8], by: Ints, code: Removal, rows: Ints, sequences: Ints) -> None:
    last = np.zeros(by.size, dtype=np.int64)
    np.maximum.at(last, rows, sequences)
    hit = last > 0
    removal[hit], by[hit] = code, last[hit]


def _hours(portfolio: Portfolio, facts: _Facts) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the minutes that persons chose, the narrowest over their accounts."""
    events = facts.events
    says = events.is_kind(_KIND.CHANNEL_CHOICE) & (events.numbers["hours_until"] > 0) & (facts.new | facts.late)
    last = events.last_by_row(says)
    first, after = (np.full(facts.rows, edge, dtype=np.int64) for edge in ALL_DAY)
    first[events.row[last]] = events.numbers["hours_from"][last]
    after[events.row[last]] = events.numbers["hours_until"][last]
    narrowed = _of_persons(portfolio, first, np.maximum), _of_persons(portfolio, after, np.minimum)
    return narrowed[0].astype(np.int16), narrowed[1].astype(np.int16)


def _of_persons(portfolio: Portfolio, values: Ints, most: np.ufunc) -> Ints:
    """Return the largest or smallest value over each person's accounts, int64 (n,)."""
    persons = persons_of(portfolio)
    if persons is None:
        return values
    edge = np.iinfo(np.int64)
    found = np.full(persons.count, edge.min if most is np.maximum else edge.max)
    most.at(found, persons.of, values)
    return np.asarray(found[persons.of], dtype=np.int64)


def desk_day(at: datetime, time_zone: str) -> date:
    """Return the day of a desk at an instant."""
    return at.astimezone(ZoneInfo(time_zone)).date()
