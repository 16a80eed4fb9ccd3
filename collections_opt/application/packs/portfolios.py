"""A book's pack: how often persons were contacted, what was decided and what became of them, vulnerable people beside others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.outcomes.maturity import Maturities
from collections_opt.application.packs.days import PackDays, rankings_of
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.day.events import Direction, EventKind
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.evaluation.person_tables import (
    DECISIONS,
    GROUPS,
    OUTCOMES,
    PersonYear,
    PublicTable,
    YearCounts,
    public_tables,
)
from collections_opt.core.experiments.arms import person_keys
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.outcomes.terms import Outcome
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.scopes import EVERYTHING, Scope, seeing
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.stored_events import StoredEvent
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord

_PAGE = 1_000
Ints = NDArray[np.int64]
_OUTCOME_OF = {Outcome.CURED: "cured", Outcome.DEFAULTED: "defaulted", Outcome.STAYED: "stayed late"}
_DECISION_OF = {
    Disposition.ASSIGNED: "worked",
    Disposition.HELD_OUT: "left alone by an experiment",
    Disposition.INELIGIBLE: "a rule forbade it",
}


@dataclass(frozen=True)
class PortfolioPack:
    """Figures of a book; counts below ``MIN_CELL_COUNT`` are hidden.

    Attributes:
        days: which days.
        ranking_count: rankings made for work that were counted.
        matured_count: of them, those that have matured.
        person_count: persons in them.
        contact_count: outbound contacts of these persons, None where they are too few to be told.
        tables: persons by kind and group.
    """

    days: PackDays
    ranking_count: int
    matured_count: int
    person_count: int
    contact_count: int | None
    tables: tuple[PublicTable, ...]


class _Persons:
    """Persons as they add up over rankings, numbered as they come; kinds stand in the order in which they win."""

    def __init__(self) -> None:
        self._keys: NDArray[np.bytes_] = np.zeros(0, dtype="S1")
        self._numbers = np.zeros(0, dtype=np.int64)
        self._of_account = np.zeros(0, dtype=np.int64)
        self.group, self.decision, self.outcome = (np.zeros(0, dtype=np.int64) for _ in range(3))

    @property
    def count(self) -> int:
        """Persons so far."""
        return int(self.group.size)

    def numbered(self, keys: NDArray[np.bytes_], key_no: Ints) -> Ints:
        """Return the numbers of the persons of accounts, giving new ones; ``key_no`` numbers the accounts' own keys."""
        names, inverse = np.unique(keys, return_inverse=True)
        new = names[~np.isin(names, self._keys)]
        joined = np.concatenate([self._keys, new])
        order = np.argsort(joined, kind="stable")
        numbers = np.concatenate([self._numbers, self.count + np.arange(new.size)])
        self._keys, self._numbers = joined[order], numbers[order]
        for name, none in (("group", len(GROUPS)), ("decision", len(DECISIONS)), ("outcome", len(OUTCOMES))):
            setattr(self, name, np.concatenate([getattr(self, name), np.full(new.size, none, dtype=np.int64)]))
        found: Ints = self._numbers[np.searchsorted(self._keys, names)][inverse]
        more = int(key_no.max(initial=-1)) + 1 - self._of_account.size
        self._of_account = np.concatenate([self._of_account, np.full(max(more, 0), -1, dtype=np.int64)])
        self._of_account[key_no] = found
        return found

    def number_of(self, stored: StoredEvent) -> int:
        """Return whom an event concerns, -1 for nobody here."""
        event, account = stored.recorded.event, stored.account_no
        if account >= 0:
            return int(self._of_account[account]) if account < self._of_account.size else -1
        name = b"" if event is None else b"customer/" + event.customer_id.encode()
        at = int(np.searchsorted(self._keys, name))
        return int(self._numbers[at]) if at < self._keys.size and self._keys[at] == name else -1


class PortfolioPacks:
    """Makes packs of books.

    Args:
        ledger: the records.
        recorded: opens rankings.
        maturities: what became of accounts.
        log: what happened.
    """

    def __init__(self, ledger: Ledger, recorded: RecordedRankings, maturities: Maturities, log: EventLog) -> None:
        self._ledger = ledger
        self._recorded = recorded
        self._maturities = maturities
        self._log = log

    def pack(self, patterns: tuple[str, ...], days: PackDays) -> PortfolioPack:
        """Return the figures of the rankings of some days whose portfolios have ids of these patterns.

        Raises:
            CollectionsError: NOT_FOUND where there is none in sight; INVALID_ARGUMENT for what is no pattern, or too many.
        """
        asked = _patterns(patterns)
        records = [record for record in rankings_of(self._ledger, days) if _is_counted(record, asked)]
        if not records:
            told = f"no ranking made for work of {days.first} to {days.last} is of such a portfolio in your sight."
            remedy = "Check the days, and the patterns against ListPortfolios."
            raise refuse(Reason.NOT_FOUND, "portfolio_patterns", told, remedy, ", ".join(patterns) or "*")
        persons, matured, zone = _Persons(), 0, "UTC"
        for record in reversed(records):
            require_wanted()
            opened = self._recorded.opened(record)
            matured += self._add(persons, opened)
            zone = opened.portfolio.time_zone
        counts = YearCounts(persons.count)
        with seeing(EVERYTHING):  # the accounts are in sight: a ranking in sight holds them
            self._count_contacts(persons, counts, days, zone)
        persons.group[list(counts.vulnerable)] = GROUPS.index("vulnerable")
        total = counts.total()
        shown = None if 0 < total < MIN_CELL_COUNT else total
        year = PersonYear(persons.group, persons.decision, persons.outcome)
        tables = public_tables(year, counts, MIN_CELL_COUNT) if persons.count >= MIN_CELL_COUNT else ()
        return PortfolioPack(days, len(records), matured, persons.count, shown, tables)

    def _add(self, persons: _Persons, opened: OpenedRanking) -> bool:
        """Add a ranking's persons; return whether it has matured. Who has an outcome keeps it."""
        portfolio, entries = opened.portfolio, opened.entries
        ids = portfolio.column("account_id")
        numbers = persons.numbered(person_keys(portfolio), opened.inputs.key_no)
        flagged, told = portfolio.column("vulnerable").astype(bool), portfolio.is_present("vulnerable")
        np.minimum.at(persons.group, numbers, np.select([told & flagged, ~told], [0, 1], 2))
        decision = np.full(entries.account_id.size, len(DECISIONS) - 1, dtype=np.int64)
        for disposition, name in _DECISION_OF.items():
            decision[entries.disposition == disposition] = DECISIONS.index(name)
        np.minimum.at(persons.decision, numbers[np.searchsorted(ids, entries.account_id)], decision)
        try:
            _, became = self._maturities.latest(opened.record.ranking_id)
        except CollectionsError as error:
            if error.reason is not Reason.RANKING_NOT_MATURE:
                raise
            return False
        whose = numbers[np.searchsorted(ids, became.account_id)]
        outcome = np.full(whose.size, OUTCOMES.index("left sight"), dtype=np.int64)
        for kind, name in _OUTCOME_OF.items():
            outcome[became.outcome == kind] = OUTCOMES.index(name)
        first = persons.outcome[whose] == len(OUTCOMES)
        np.minimum.at(persons.outcome, whose[first], outcome[first])
        return True

    def _count_contacts(self, persons: _Persons, counts: YearCounts, days: PackDays, zone: str) -> None:
        begins, ends = days.instants(zone)
        clock = ZoneInfo(zone)
        for stored in self._every(self._log.before(begins)):
            event = stored.recorded.event
            number = persons.number_of(stored)
            if event is None or number < 0:
                continue
            if event.kind is EventKind.REVERSAL:
                counts.take_back(number, _digest(event.reverses))
            elif not begins <= event.occurred_at < ends:
                continue
            elif event.kind is EventKind.CONTACT and event.direction == Direction.OUTBOUND:
                counts.add(number, _digest(event.event_id), event.occurred_at.astimezone(clock).toordinal())
            elif event.kind is EventKind.FLAG and event.flag == "vulnerable" and event.is_set:
                counts.flag(number, _digest(event.event_id))

    def _every(self, after: int) -> Iterator[StoredEvent]:
        while page := self._log.after(after, _PAGE):
            require_wanted()
            yield from page
            after = page[-1].recorded.sequence


def _patterns(patterns: tuple[str, ...]) -> Scope:
    try:
        return Scope(portfolios=patterns)
    except CollectionsError as error:
        found = error.violations[0]
        raise refuse(error.reason, "portfolio_patterns", found.description, found.remedy) from error


def _is_counted(record: RankingRecord, asked: Scope) -> bool:
    named = asked.has_portfolio(record.portfolio_id)
    return named and RankingFacts.from_record(record.record).inputs.made_for is RankingPurpose.WORK


def _digest(text: str) -> int:
    """Return a short name of an event's id: of a year's events two alike are not to be expected."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)
