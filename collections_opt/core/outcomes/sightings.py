"""What one source says of each account: facts that end its time in collections, and when it was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.day.event_columns import EventColumns, day_number, local_days
from collections_opt.core.day.events import RIGHT_PARTY_RESULTS, Direction, EventKind, OutcomeCode
from collections_opt.core.outcomes.terms import Outcome, ToldOutcomes

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_ENDS = {
    OutcomeCode.CURED: Outcome.CURED,
    OutcomeCode.CHARGED_OFF: Outcome.DEFAULTED,
    OutcomeCode.SETTLED: Outcome.SETTLED,
    OutcomeCode.SOLD: Outcome.SOLD,
    OutcomeCode.RECALLED: Outcome.RECALLED,
    OutcomeCode.CLOSED: Outcome.CLOSED,
}
_REACHED = [result.value.encode() for result in sorted(RIGHT_PARTY_RESULTS)]
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Book:
    """n accounts as they stood when their ranking was made, and when their outcomes count.

    Attributes:
        accounts: their rows.
        horizon: int64 (n,) days.
        line: int64 (n,) days past due that are a default.
        grace: days after the horizon within which a sighting still says how an account stood at it.
    """

    accounts: Portfolio
    horizon: Ints
    line: Ints
    grace: int

    @property
    def count(self) -> int:
        """Number of accounts n."""
        return self.accounts.account_count

    @property
    def first_day(self) -> int:
        """Day number of the as-of date."""
        return day_number(self.accounts.as_of_date)

    @property
    def was_late(self) -> Mask:
        """Return which accounts were past due, bool (n,): others cannot cure."""
        return np.asarray((self.accounts.column("days_past_due") > 0) | (self.accounts.column("arrears_minor") > 0), dtype=bool)

    def rows_of(self, account_id: NDArray[np.bytes_]) -> tuple[Ints, Ints]:
        """Return where accounts named elsewhere stand here: their places there, and their rows here, int64 (k,) each."""
        mine = self.accounts.column("account_id")
        order = np.argsort(mine, kind="stable")
        at = np.minimum(np.searchsorted(mine[order], account_id), max(mine.size - 1, 0))
        found = np.flatnonzero(mine[order][at] == account_id) if mine.size else np.zeros(0, dtype=np.int64)
        return found, order[at[found]].astype(np.int64)


@dataclass(frozen=True)
class Facts:
    """m facts that may end an account's time: its row, its day after the as-of date, ``Outcome``, and the event (0 for none).

    ``instant`` orders facts of one day.
    """

    row: Ints
    day: Ints
    outcome: Ints
    event: Ints
    instant: Ints

    @classmethod
    def of(cls, row: Ints, day: Ints, outcome: Outcome | Ints, event: Ints | None = None, instant: Ints | None = None) -> Facts:
        """Return facts; one outcome stands for all."""
        codes = np.broadcast_to(np.asarray(outcome, dtype=np.int64), row.shape).astype(np.int64)
        nothing = np.zeros(row.shape, dtype=np.int64)
        return cls(row, day, codes, nothing if event is None else event, nothing if instant is None else instant)

    @classmethod
    def together(cls, parts: list[Facts]) -> Facts:
        """Return all facts of several."""
        names = ("row", "day", "outcome", "event", "instant")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]).astype(np.int64) for name in names))


@dataclass(frozen=True)
class Sightings:
    """What a source says of n accounts.

    Attributes:
        outcome: int64 (n,) ``Outcome``; NOT_SEEN where the source does not tell.
        day: int64 (n,) days after the as-of date: of the outcome, the horizon for STAYED, else of the last sighting.
        event: int64 (n,) sequence of the event that decided, 0 for none.
    """

    outcome: Ints
    day: Ints
    event: Ints

    @property
    def tells(self) -> Mask:
        """Return which outcomes the source tells, bool (n,)."""
        return np.asarray(self.outcome != Outcome.NOT_SEEN, dtype=bool)


def judged(book: Book, facts: Facts, last_seen: Ints, state_from: Ints) -> Sightings:
    """Return what a source says: of an account's facts the earliest counts.

    Args:
        book: the accounts.
        facts: of days from 0 on, in any order; what came about after the horizon says that nothing came about before.
        last_seen: int64 (n,) last day up to the horizon on which an account was seen.
        state_from: int64 (n,) first day from the horizon on on which it was seen to stand as it did, ``NEVER`` for none.
    """
    order = np.lexsort((facts.event, -facts.outcome, facts.instant, facts.day, facts.row))
    row = facts.row[order]
    first = order[np.append(True, row[1:] != row[:-1])] if row.size else order
    outcome = np.full(book.count, Outcome.NOT_SEEN, dtype=np.int64)
    day, event = np.minimum(last_seen, book.horizon), np.zeros(book.count, dtype=np.int64)
    stood = state_from <= book.horizon + book.grace
    outcome[stood], day[stood] = Outcome.STAYED, book.horizon[stood]
    mine = facts.row[first]
    early = facts.day[first] <= book.horizon[mine]
    after = mine[~early]
    outcome[after], day[after] = Outcome.STAYED, book.horizon[after]
    for target, values in ((outcome, facts.outcome), (day, facts.day), (event, facts.event)):
        target[mine[early]] = values[first[early]]
    return Sightings(outcome, day, event)


NEVER = _NEVER


def from_events(book: Book, events: EventColumns) -> Sightings:
    """Return what events say; ``events`` are standing ones, each once.

    A cure is an OUTCOME, a BALANCE with nothing past due, or payments that cover the arrears as last stated. A default is a
    charge-off or a BALANCE at the line. A BALANCE from the horizon on tells that the account stayed.
    """
    day = event_days(book, events)
    row, kind = events.row, events.is_kind
    ours = day >= 0
    parts = []
    for code, outcome in _ENDS.items():
        parts.append(
            _facts(events, day, ours & kind(EventKind.OUTCOME) & (events.texts["outcome"] == code.value.encode()), outcome)
        )
    died = ours & kind(EventKind.FLAG) & (events.texts["flag"] == b"deceased") & events.is_set
    parts.append(_facts(events, day, died, Outcome.DIED))
    stated = ours & kind(EventKind.BALANCE)
    late = events.numbers["days_past_due"]
    nothing = (late <= 0) & (events.numbers["arrears_minor"] <= 0)
    shown = _until_grace(book, events.row, day)
    parts.append(_facts(events, shown, stated & nothing & book.was_late[row], Outcome.CURED))
    crossed = (late >= book.line[row]) & (book.accounts.column("days_past_due")[row] < book.line[row])
    parts.append(_facts(events, shown, stated & crossed, Outcome.DEFAULTED))
    parts.append(_facts(events, day, _covers(book, events, day), Outcome.CURED))
    last = np.zeros(book.count, dtype=np.int64)
    alive = (stated | (ours & kind(EventKind.PAYMENT))) & (day <= book.horizon[row])
    np.maximum.at(last, row[alive], day[alive])
    state = np.full(book.count, NEVER)
    at_end = stated & (day >= book.horizon[row])
    np.minimum.at(state, row[at_end], day[at_end])
    return judged(book, Facts.together(parts), last, state)


def from_portfolio(book: Book, later: list[Portfolio]) -> Sightings:
    """Return what later portfolios say of accounts that are in them; one that is gone from a file tells nothing."""
    parts, last, state = [], np.zeros(book.count, dtype=np.int64), np.full(book.count, NEVER)
    for one in later:
        day = day_number(one.as_of_date) - book.first_day
        at, row = book.rows_of(one.column("account_id"))
        if day <= 0 or not row.size:
            continue
        late, arrears = one.column("days_past_due")[at], one.column("arrears_minor")[at]
        days = _until_grace(book, row, np.full(row.size, day))
        dead = one.column("deceased")[at].astype(bool) & ~book.accounts.column("deceased")[row].astype(bool)
        cured = (late <= 0) & (arrears <= 0) & book.was_late[row]
        crossed = (late >= book.line[row]) & (book.accounts.column("days_past_due")[row] < book.line[row])
        for mask, outcome in ((dead, Outcome.DIED), (cured, Outcome.CURED), (crossed & ~cured, Outcome.DEFAULTED)):
            parts.append(Facts.of(row[mask], days[mask], outcome))
        before = day <= book.horizon[row]
        last[row[before]] = np.maximum(last[row[before]], day)
        ended = row[day >= book.horizon[row]]
        state[ended] = np.minimum(state[ended], day)
    nothing = np.zeros(0, dtype=np.int64)
    return judged(book, Facts.together([Facts.of(nothing, nothing, Outcome.STAYED), *parts]), last, state)


def from_file(book: Book, told: ToldOutcomes) -> Sightings:
    """Return what a file tells."""
    at, row = book.rows_of(told.account_id)
    _, last = np.unique(row[::-1], return_index=True)
    at, row = at[::-1][last], row[::-1][last]
    day = told.day[at] - book.first_day
    good = day >= 0
    at, row, day = at[good], row[good], day[good]
    stayed = told.outcome[at] == Outcome.STAYED
    facts = Facts.of(row[~stayed], day[~stayed], told.outcome[at][~stayed])
    state, seen = np.full(book.count, NEVER), np.zeros(book.count, dtype=np.int64)
    state[row[stayed & (day >= book.horizon[row])]] = 0
    np.maximum.at(seen, row[stayed], day[stayed])
    return judged(book, facts, seen, state)


def event_days(book: Book, events: EventColumns) -> Ints:
    """Return the lender's day of each event, counted from the as-of date, int64 (m,)."""
    zones = np.full(events.count, book.accounts.time_zone, dtype=object)
    return local_days(events.occurred, zones) - book.first_day


def contacts_of(book: Book, events: EventColumns) -> tuple[Ints, Mask]:
    """Return outbound contacts within the horizon and whether one reached the person, int64 and bool (n,)."""
    day = event_days(book, events)
    outbound = events.is_kind(EventKind.CONTACT) & (events.texts["direction"] == Direction.OUTBOUND.value.encode())
    mine = outbound & (day >= 0) & (day <= book.horizon[events.row])
    count = np.bincount(events.row[mine], minlength=book.count).astype(np.int64)
    reached = np.zeros(book.count, dtype=bool)
    reached[events.row[mine & np.isin(events.texts["result"], _REACHED)]] = True
    return count, reached


def cash_of(book: Book, events: EventColumns) -> Ints:
    """Return money paid within the horizon, int64 (n,) minor units."""
    day = event_days(book, events)
    paid = events.is_kind(EventKind.PAYMENT) & (day >= 0) & (day <= book.horizon[events.row])
    total = np.zeros(book.count, dtype=np.int64)
    np.add.at(total, events.row[paid], events.numbers["amount_minor"][paid])
    return total


def _facts(events: EventColumns, day: Ints, mask: Mask, outcome: Outcome) -> Facts:
    return Facts.of(events.row[mask], day[mask], outcome, events.sequence[mask], events.occurred[mask])


def _until_grace(book: Book, row: Ints, day: Ints) -> Ints:
    """Return days of sightings, those of the days of grace as of the horizon."""
    within = (day > book.horizon[row]) & (day <= book.horizon[row] + book.grace)
    return np.where(within, book.horizon[row], day)


def _covers(book: Book, events: EventColumns, day: Ints) -> Mask:
    """Return which payments cover the arrears as they were last stated, with all payments since."""
    paid = events.is_kind(EventKind.PAYMENT) & (day >= 0)
    stated = events.is_kind(EventKind.BALANCE) & (day >= 0)
    at = np.flatnonzero(paid | stated)
    order = at[np.lexsort((events.sequence[at], stated[at], events.occurred[at], events.row[at]))]
    row, resets = events.row[order], stated[order]
    begins = np.append(True, row[1:] != row[:-1]) if row.size else np.zeros(0, dtype=bool)
    segment = np.cumsum(begins | resets) - 1
    opens = np.flatnonzero(begins | resets)
    arrears = np.where(resets, events.numbers["arrears_minor"][order], book.accounts.column("arrears_minor")[row])
    amount = np.where(resets, 0, events.numbers["amount_minor"][order])
    total = np.cumsum(amount)
    since = total - (total[opens] - amount[opens])[segment] if row.size else total
    owed = arrears[opens][segment] if row.size else arrears
    found = np.zeros(events.count, dtype=bool)
    found[order] = ~resets & (owed > 0) & (since >= owed)
    return found
