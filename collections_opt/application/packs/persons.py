"""A person's pack: every decision about the person's accounts with its proof, what happened, and who looked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from collections_opt.application.day.event_book import EventBook
from collections_opt.application.evidence.evidence import DatedAnswer, Evidence
from collections_opt.application.evidence.proofs import LogMoment
from collections_opt.application.outcomes.maturity import Maturities
from collections_opt.application.packs.days import PackDays, rankings_of
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.core.codes.currencies import currency
from collections_opt.core.day.event_checks import subject_fault
from collections_opt.core.day.event_columns import microseconds
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.core.scopes import EVERYTHING, seeing
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.events.event_proofs import EventProofs
from collections_opt.ledger.events.leases import LeaseRecord, Leases
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord
from collections_opt.ledger.sealing.keystream import KEY_BYTES
from collections_opt.ledger.sealing.sealing import unseal
from collections_opt.ledger.store.database import timestamp
from collections_opt.ledger.store.paging import every_row
from collections_opt.ledger.tables.reads import AccountRead

LATEST_BOOKS = 60
"""Portfolios beside those of the days that are looked through for whose an account is, the newest first."""


@dataclass(frozen=True)
class PersonHead:
    """Whom a pack is about, and what was looked through."""

    customer_ids: tuple[str, ...]
    account_ids: tuple[str, ...]
    days: PackDays
    made_at: datetime
    ranking_count: int
    analysis_count: int
    verifier_key: str


@dataclass(frozen=True)
class Fact:
    """What was known of an account, for people."""

    name: str
    meaning: str
    value: str


@dataclass(frozen=True)
class Decision:
    """What a ranking decided about an account.

    Attributes:
        opened: the ranking.
        answer: the decision in words, with its proof.
        facts: what was known; empty for a row refused at the door.
        outcomes: what became of the ranking's accounts, None where it has not matured.
        row: the account's row in them, -1 where there is none.
    """

    opened: OpenedRanking
    answer: DatedAnswer
    facts: tuple[Fact, ...]
    outcomes: MaturedOutcomes | None
    row: int


@dataclass(frozen=True)
class ProvenEvent:
    """An event, and its proof, empty once its key is gone."""

    recorded: RecordedEvent
    proof: bytes


@dataclass(frozen=True)
class PersonLease:
    """A lease of one of the person's accounts."""

    account_id: str
    lease: LeaseRecord


Part = PersonHead | Decision | ProvenEvent | PersonLease | AccountRead


@dataclass
class _Found:
    """Whose a pack is; ``customers`` is empty for an account without a person's id."""

    customers: tuple[str, ...]
    accounts: set[str] = field(default_factory=set)
    zone: str = "UTC"


@dataclass(frozen=True)
class PersonPacks:
    """Makes packs of persons.

    Attributes:
        ledger: the records.
        sealed: opens what belongs to accounts.
        evidence: explains and proves decisions.
        events: what happened.
        disclosures: opens events for proofs.
        leases: who held the person's accounts.
        maturities: what became of accounts.
        now: the clock.
    """

    ledger: Ledger
    sealed: SealedRecords
    evidence: Evidence
    events: EventBook
    disclosures: EventProofs
    leases: Leases
    maturities: Maturities
    now: Callable[[], datetime]

    def parts(
        self, account_id: str, customer_id: str, days: PackDays, asked: Callable[[list[str]], object] = lambda _: None
    ) -> Iterator[Part]:
        """Yield the parts of a pack: its head, decisions by day, events, leases, reads.

        Args:
            account_id: an account of the person, or "".
            customer_id: the person, or "".
            days: which days.
            asked: called with the person's accounts before anything is yielded.

        Raises:
            CollectionsError: INVALID_ARGUMENT unless one of the two is named; NOT_FOUND where nothing in sight is recorded of
                the person.
        """
        _check_subject(account_id, customer_id)
        every = list(rankings_of(self.ledger, days))
        made_for = [RankingFacts.from_record(record.record).inputs.made_for for record in every]
        records = [record for record, purpose in zip(every, made_for, strict=True) if purpose is RankingPurpose.WORK]
        found = _Found((customer_id,) if customer_id else self._owner(account_id, records))
        mine = [(record, self._accounts(record, account_id, found)) for record in reversed(records)]
        if not found.accounts:
            named = ("account_id", account_id) if account_id else ("customer_id", customer_id)
            told = f"no ranking of {days.first} to {days.last} in your sight knows {named[1]!r}."
            remedy = "Check the id and the days; an erased person cannot be shown."
            raise refuse(Reason.NOT_FOUND, named[0], told, remedy, named[1])
        accounts = sorted(found.accounts)
        asked(accounts)
        moment = self.evidence.proofs.moment()
        key = self.evidence.proofs.vkey
        yield PersonHead(found.customers, tuple(accounts), days, self.now(), len(records), len(every) - len(records), key)
        refused = {number: name for name in accounts if (number := self.sealed.key_number(name)) is not None}
        for record, names in mine:
            require_wanted()
            yield from self._decisions(record, names, refused, moment)
        leases = self._leases(refused, days.instants(found.zone))
        reviewed = {record.ranking_id for record in records} | {one.lease.lease_id for one in leases}
        yield from self._happened(found, days, moment, reviewed)
        yield from leases
        begins, ends = (timestamp(instant.astimezone(UTC)) for instant in days.instants(found.zone))
        yield from self.ledger.reads.about(refused.keys(), begins, ends)

    def _owner(self, account_id: str, records: Sequence[RankingRecord]) -> tuple[str, ...]:
        """Return whose an account is by the newest portfolio in sight that holds it; nobody where it names nobody."""
        number = self.sealed.key_number(account_id)
        if number is None:
            return ()
        named = [self.ledger.portfolios.get(name) for name in dict.fromkeys(record.portfolio_id for record in records)]
        for book in (*named, *self.ledger.portfolios.newest(LATEST_BOOKS)):
            table = self.sealed.table(book.object_digest)
            row = np.flatnonzero(table.key_no == number)[:1]
            if row.size:
                keys = np.zeros((table.row_count, KEY_BYTES), dtype=np.uint8)
                keys[row] = self.sealed.keys_of_numbers(table.key_no[row])
                owner = unseal(table, keys).columns["customer_id"].tolist()
                return tuple(name.decode() for name in owner if name)
        return ()

    def _accounts(self, record: RankingRecord, account_id: str, found: _Found) -> list[str]:
        """Return the person's accounts in a ranking's portfolio. An account that was another person's on the day is not shown."""
        portfolio = self.evidence.recorded.portfolio(record.portfolio_id)
        found.zone = portfolio.time_zone
        customers, ids = portfolio.column("customer_id"), portfolio.column("account_id")
        if found.customers:
            mine = np.isin(customers, [name.encode() for name in found.customers])
        else:
            mine = (ids == account_id.encode()) & (customers == b"")
        names = [name.decode() for name in ids[mine].tolist()]
        found.accounts.update(names)
        return names

    def _decisions(
        self, record: RankingRecord, names: list[str], refused: dict[int, str], moment: LogMoment
    ) -> Iterator[Decision]:
        opened = self.evidence.recorded.opened(record)
        at_door = [refused[number] for number in opened.leaves.refused.key_no.tolist() if number in refused]
        if not names and not at_door:
            return
        outcomes = self._outcomes(record.ranking_id)
        for name in (*names, *dict.fromkeys(at_door)):
            answer = self.evidence.answer_of(opened, name, moment)
            facts = () if answer.explanation is None else facts_of(opened.portfolio, name)
            row = -1
            if outcomes is not None:
                at = np.flatnonzero(outcomes.account_id == name.encode())
                row = int(at[0]) if at.size else -1
            yield Decision(opened, answer, facts, outcomes, row)

    def _outcomes(self, ranking_id: str) -> MaturedOutcomes | None:
        try:
            return self.maturities.latest(ranking_id)[1]
        except CollectionsError as error:
            if error.reason is not Reason.RANKING_NOT_MATURE:
                raise
            return None

    def _happened(self, found: _Found, days: PackDays, moment: LogMoment, decided: set[str]) -> Iterator[ProvenEvent]:
        """Yield what happened on the days, and every review of what was decided on them, whenever somebody looked."""
        begins, ends = days.instants(found.zone)

        def is_wanted(event: Event | None) -> bool:
            if event is None or begins <= event.occurred_at < ends:
                return True
            return event.kind is EventKind.REVIEW and (event.ranking_id or event.lease_id) in decided

        with seeing(EVERYTHING):  # the accounts are in sight: a ranking in sight holds them
            told: dict[int, RecordedEvent] = {}
            for account_id, customer_id in (*((name, "") for name in found.accounts), *(("", c) for c in found.customers)):
                told |= {one.sequence: one for one in self._events(account_id, customer_id)}
            kept = {sequence: one for sequence, one in told.items() if is_wanted(one.event)}
            ids = {one.event.event_id for one in kept.values() if one.event is not None}
            kept |= {n: one for n, one in told.items() if one.event is not None and one.event.reverses in ids}
            wanted = sorted(kept)
            shown = self.disclosures.disclosed(wanted)
        for sequence in wanted:
            proof = self.evidence.proofs.prove_event(shown[sequence], moment) if sequence in shown else b""
            yield ProvenEvent(told[sequence], proof)

    def _events(self, account_id: str, customer_id: str) -> Iterator[RecordedEvent]:
        return every_row(
            lambda before, size: self.events.of_account(account_id, customer_id, before, size), None, lambda one: one.sequence
        )

    def _leases(self, accounts: dict[int, str], instants: tuple[datetime, datetime]) -> list[PersonLease]:
        begins, ends = map(microseconds, instants)
        with self.leases.look() as turn:
            held = turn.of_accounts(list(accounts))
        return [PersonLease(accounts[one.account_no], one) for one in held if begins <= one.leased_at < ends]


def _check_subject(account_id: str, customer_id: str) -> None:
    if bool(account_id) == bool(customer_id):
        told = "are both named." if account_id else "are both missing."
        fields = [FieldViolation(name, told, "Name an account or a person.") for name in ("account_id", "customer_id")]
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(fields[0]), tuple(fields))
    found = subject_fault("account_id", account_id) or subject_fault("customer_id", customer_id)
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found), (found,))


def facts_of(portfolio: Portfolio, account_id: str) -> tuple[Fact, ...]:
    """Return what a portfolio says of an account, for people; what is missing is left out."""
    row = int(np.searchsorted(portfolio.column("account_id"), account_id.encode()))
    unit = currency(portfolio.currency_code)
    facts = []
    for name, column in ACCOUNT_SCHEMA.items():
        there = np.atleast_1d(portfolio.is_present(name)[row])
        if not there.any():
            continue
        cells = np.atleast_1d(portfolio.column(name)[row]).tolist()
        known = [_shown(cell, column.kind, unit) if seen else "-" for cell, seen in zip(cells, there.tolist(), strict=True)]
        facts.append(Fact(name, column.meaning, ", ".join(known)))
    if portfolio.own is not None:
        for name, values in portfolio.own.plain().items():
            cell = values[row]
            shown = cell.decode() if isinstance(cell, bytes) else "" if np.isnan(cell) else f"{cell:g}"
            if shown:
                declared = portfolio.own.find(name.removeprefix("own."))
                facts.append(Fact(name, declared.meaning if declared else "", shown))
    return tuple(facts)


def _shown(cell: Any, kind: ColumnKind, unit: Any) -> str:
    if kind is ColumnKind.TEXT:
        return str(cell.decode())
    if kind is ColumnKind.FLAG:
        return "yes" if cell else "no"
    if kind in (ColumnKind.MONEY, ColumnKind.HISTORY_MONEY):
        return f"{unit.exact(cell)} {unit.code}"
    return f"{cell:g}" if kind is ColumnKind.RATE else str(cell)
