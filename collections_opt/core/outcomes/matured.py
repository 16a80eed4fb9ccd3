"""What became of every account of a ranking by its horizon, and who said so.

A pure function of columns: events in any order and as often as they were told, later portfolios, rows of a file. Where several
sources tell an outcome, a file beats events and events beat a portfolio; that they disagree is kept. Accounts that left sight
before their horizon are kept with the day on which they did: whoever counts outcomes weighs those that were seen for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.core.day.event_columns import EventColumns, microseconds
from collections_opt.core.outcomes.sightings import (
    Book,
    Sightings,
    cash_of,
    contacts_of,
    from_events,
    from_file,
    from_portfolio,
)
from collections_opt.core.outcomes.terms import Outcome, OutcomeSource, OutcomeTerms, ToldOutcomes

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class MaturedOutcomes:
    """What became of n accounts, one row each in the order of their portfolio.

    Attributes:
        account_id: bytes (n,).
        outcome: uint8 (n,) ``Outcome``.
        source: uint8 (n,) ``OutcomeSource`` that won.
        day: int32 (n,) days after the as-of date: of the outcome, the horizon for STAYED, of the last sighting for NOT_SEEN.
        horizon: int32 (n,) days.
        event: int64 (n,) sequence of the event that decided, 0 where none did.
        contradicted: uint8 (n,) 1 where another source tells another outcome.
        cash_minor: int64 (n,) money paid within the horizon, -1 where nobody tells.
        contacts: int32 (n,) outbound contacts within the horizon that events tell of.
        reached: uint8 (n,) 1 where one of them reached the person.
    """

    account_id: NDArray[np.bytes_]
    outcome: NDArray[np.uint8]
    source: NDArray[np.uint8]
    day: NDArray[np.int32]
    horizon: NDArray[np.int32]
    event: Ints
    contradicted: NDArray[np.uint8]
    cash_minor: Ints
    contacts: NDArray[np.int32]
    reached: NDArray[np.uint8]

    def columns(self) -> dict[str, Array]:
        """Return the columns by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def is_censored(self) -> NDArray[np.bool_]:
        """Return whose outcome is not known, bool (n,)."""
        return np.asarray(self.outcome > Outcome.STAYED, dtype=bool)

    def only(self, rows: NDArray[np.bool_]) -> MaturedOutcomes:
        """Return some of the rows, bool (n,)."""
        return MaturedOutcomes(**{name: column[rows] for name, column in self.columns().items()})

    def counts(self) -> dict[str, int]:
        """Return how many accounts have each outcome, by name; every name is there."""
        return {outcome.name: int((self.outcome == outcome).sum()) for outcome in Outcome}

    def counts_by_source(self) -> dict[str, int]:
        """Return for how many accounts each source won, by name."""
        return {source.name: int((self.source == source).sum()) for source in OutcomeSource}


def matured_outcomes(
    accounts: Portfolio,
    terms: OutcomeTerms,
    events: EventColumns,
    later: Sequence[Portfolio] = (),
    told: ToldOutcomes | None = None,
    known_at: datetime | None = None,
) -> MaturedOutcomes:
    """Return what became of accounts by their horizons.

    Args:
        accounts: n accounts as they stood when their ranking was made.
        terms: when outcomes count.
        events: of these rows, in any order, each as often as it was told; those taken back do not count.
        later: portfolios of later days, in any order.
        told: rows of a file.
        known_at: counts what was recorded by then; None counts everything.

    Raises:
        CollectionsError: as ``OutcomeTerms.of``.
    """
    horizon, line = terms.of(accounts)
    book = Book(accounts, horizon, line, terms.grace_days)
    events = _standing_once(events, known_at)
    said = {OutcomeSource.EVENTS: from_events(book, events), OutcomeSource.PORTFOLIO: from_portfolio(book, list(later))}
    cash = cash_of(book, events) if events.numbers["amount_minor"].any() else np.full(book.count, -1, dtype=np.int64)
    if told is not None:
        said[OutcomeSource.FILE] = from_file(book, told)
        at, row = book.rows_of(told.account_id)
        knows = told.cash_minor[at] >= 0
        cash[row[knows]] = told.cash_minor[at][knows]
    best, source, contradicted = _winning(book, said)
    contacts, reached = contacts_of(book, events)
    return MaturedOutcomes(
        accounts.column("account_id"),
        best.outcome.astype(np.uint8),
        source,
        best.day.astype(np.int32),
        horizon.astype(np.int32),
        best.event,
        contradicted.astype(np.uint8),
        cash,
        contacts.astype(np.int32),
        reached.astype(np.uint8),
    )


def _winning(book: Book, said: dict[OutcomeSource, Sightings]) -> tuple[Sightings, NDArray[np.uint8], NDArray[np.bool_]]:
    outcome = np.full(book.count, Outcome.NOT_SEEN, dtype=np.int64)
    day, event = np.zeros(book.count, dtype=np.int64), np.zeros(book.count, dtype=np.int64)
    source, contradicted = np.zeros(book.count, dtype=np.uint8), np.zeros(book.count, dtype=bool)
    for name in sorted(said):
        one = said[name]
        day = np.where(one.tells | (outcome == Outcome.NOT_SEEN), np.where(one.tells, one.day, np.maximum(day, one.day)), day)
        contradicted |= one.tells & (outcome != Outcome.NOT_SEEN) & (outcome != one.outcome)
        outcome = np.where(one.tells, one.outcome, outcome)
        event = np.where(one.tells, one.event, event)
        source[one.tells] = name
    return Sightings(outcome, day, event), source, contradicted


def _standing_once(events: EventColumns, known_at: datetime | None) -> EventColumns:
    """Return the events that were known, were not taken back, and each once for a row."""
    if known_at is not None:
        events = events.take(events.recorded <= microseconds(known_at))
    events = events.take(events.standing())
    order = np.lexsort((events.sequence, events.row))
    row, sequence = events.row[order], events.sequence[order]
    first = np.zeros(events.count, dtype=bool)
    if events.count:
        first[order[np.append(True, (row[1:] != row[:-1]) | (sequence[1:] != sequence[:-1]))]] = True
    return events.take(first)
