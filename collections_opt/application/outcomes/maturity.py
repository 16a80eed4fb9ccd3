"""A ranking matures: once its horizon has passed, what became of its accounts is found, sealed and entered into the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.outcomes.account_events import events_of
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.records.recorder import Recorder
from collections_opt.application.settings import dump, parse
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.arrays import Array, digest_columns
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_NOTE_CHARACTERS
from collections_opt.core.outcomes.matured import MaturedOutcomes, matured_outcomes
from collections_opt.core.outcomes.terms import OutcomeTerms, ToldOutcomes
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import OutcomeKind, OutcomeRecord, PortfolioRecord, RankingRecord

METHOD = "INVERSE_PROBABILITY_OF_CENSORING"
"""How accounts that left sight are handled: those that were seen stand for them, by the chance of not having left before."""

MOST_RANKINGS = 100
"""Rankings that mature in one call."""

MOST_FAULTS = 100
"""Faults of a file that are named."""


@dataclass(frozen=True)
class Maturity:
    """What became of a ranking's accounts.

    Attributes:
        seq: number of the record.
        ranking_id: the ranking.
        portfolio_id: its portfolio.
        as_of_date: its day.
        matured_on: the day on which the last horizon had passed.
        created_at: when it was found, UTC.
        terms: when outcomes counted.
        event_sequence: the last event that counted.
        later_portfolio_ids: portfolios of later days that were read, in order of time.
        file_seqs: records of files that were read.
        counts: accounts by outcome.
        counts_by_source: accounts by the source that won.
        contradicted_count: accounts of which another source tells another outcome.
        method: how accounts that left sight are handled.
        repeated: whether nothing had changed since the last time, so that nothing was recorded.
    """

    seq: int
    ranking_id: str
    portfolio_id: str
    as_of_date: date
    matured_on: date
    created_at: datetime
    terms: OutcomeTerms
    event_sequence: int
    later_portfolio_ids: tuple[str, ...]
    file_seqs: tuple[int, ...]
    counts: Mapping[str, int]
    counts_by_source: Mapping[str, int]
    contradicted_count: int
    method: str
    repeated: bool = False


class Maturities:
    """The use cases around outcomes.

    Args:
        ledger: the records.
        recorder: seals, and signs the log.
        recorded: recorded rankings.
        events: what happened.
        now: the clock.
    """

    def __init__(
        self,
        ledger: Ledger,
        recorder: Recorder,
        recorded: RecordedRankings,
        events: EventLog,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._recorded = recorded
        self._events = events
        self._now = now

    def record_file(
        self, portfolio_id: str, told: ToldOutcomes, source: str, actor: Actor = UNKNOWN, validate_only: bool = False
    ) -> OutcomeRecord | None:
        """Record what somebody tells of a portfolio's accounts; the same rows again are recorded once.

        Raises:
            CollectionsError: NOT_FOUND for the portfolio; INVALID_ARGUMENT for no rows, for accounts that are told of twice or
                are not in the portfolio, and for a source that is no text.
        """
        stored = self._ledger.portfolios.get(portfolio_id)
        if not 1 <= len(source) <= MAX_NOTE_CHARACTERS or not source.isprintable():
            raise refuse(
                Reason.INVALID_ARGUMENT, "source", "is empty, too long or not printable.", "Say where the rows come from."
            )
        _check_told(told, self._recorded.portfolio(portfolio_id).column("account_id"))
        columns: dict[str, Array] = dict(vars(told))
        digest = digest_columns(columns)
        for record in self._files(portfolio_id):
            if record.facts["digest"] == digest:
                return record
        if validate_only:
            return None
        require_wanted()
        payload = {
            "source": source,
            "as_of_date": stored.as_of_date,
            "row_count": int(told.day.size),
            "digest": digest,
        }
        rows = self._recorder.sealed.put_outcomes(columns)
        record = self._ledger.outcomes.add(OutcomeKind.FILE, portfolio_id, "", payload, rows, self._now(), actor)
        self._recorder.publish()
        return record

    def mature(
        self, ranking_id: str, terms: OutcomeTerms, later_portfolio_ids: Sequence[str] = (), actor: Actor = UNKNOWN
    ) -> Maturity:
        """Find what became of a ranking's accounts; the same answer again is recorded once, another one beside the first.

        Args:
            ranking_id: a recorded ranking.
            terms: when outcomes count.
            later_portfolio_ids: portfolios of later days to read; none reads every one in its currency that may tell.
            actor: who asks.

        Raises:
            CollectionsError: NOT_FOUND; RANKING_NOT_MATURE while a horizon runs; INVALID_ARGUMENT as ``OutcomeTerms.of``, and
                for a portfolio of another currency or of no later day.
        """
        now = self._now()
        opened = self._recorded.open(ranking_id)
        inputs, portfolio = opened.inputs, opened.portfolio
        matured_on = _matures_on(portfolio, terms)
        today = now.astimezone(ZoneInfo(portfolio.time_zone)).date()
        if today < matured_on:
            told = f"the last horizon of {ranking_id} ends with {matured_on - timedelta(days=1)}, and today is {today}."
            raise refuse(Reason.RANKING_NOT_MATURE, "ranking_id", told, f"Ask from {matured_on} on.")
        last = self._events.last_sequence()
        later = self._later(portfolio, opened.record.portfolio_id, terms, later_portfolio_ids)
        files = list(self._files(opened.record.portfolio_id))
        require_wanted()
        found = matured_outcomes(
            portfolio,
            terms,
            events_of(self._events, inputs, last),
            [self._recorded.portfolio(record.portfolio_id) for record in later],
            self._told(files),
        )
        payload = {
            "as_of_date": portfolio.as_of_date.isoformat(),
            "matured_on": matured_on.isoformat(),
            "terms": json.loads(dump(terms)),
            "event_sequence": last,
            "later_portfolio_ids": [record.portfolio_id for record in later],
            "file_seqs": [record.seq for record in files],
            "counts": found.counts(),
            "counts_by_source": found.counts_by_source(),
            "contradicted_count": int(found.contradicted.sum()),
            "method": METHOD,
            "outcomes_digest": digest_columns(found.columns()),
        }
        before = self._ledger.outcomes.last(OutcomeKind.MATURITY, ranking_id)
        if before is not None and _same(before.facts, payload):
            return replace(_maturity(before), repeated=True)
        require_wanted()
        rows = self._recorder.sealed.put_outcomes(found.columns())
        about = (OutcomeKind.MATURITY, opened.record.portfolio_id, ranking_id)
        record = self._ledger.outcomes.add(*about, payload, rows, now, actor)
        self._recorder.publish()
        return _maturity(record)

    def found(self, opened: OpenedRanking, terms: OutcomeTerms) -> MaturedOutcomes:
        """Return what is known by now of what became of a ranking's accounts, by terms of the caller's; nothing is recorded.

        Raises:
            CollectionsError: as ``OutcomeTerms.of``.
        """
        portfolio_id = opened.record.portfolio_id
        later = self._later(opened.portfolio, portfolio_id, terms, ())
        return matured_outcomes(
            opened.portfolio,
            terms,
            events_of(self._events, opened.inputs, self._events.last_sequence()),
            [self._recorded.portfolio(record.portfolio_id) for record in later],
            self._told(list(self._files(portfolio_id))),
        )

    def mature_due(self, terms: OutcomeTerms, actor: Actor = UNKNOWN) -> list[Maturity]:
        """Let rankings mature whose horizons have passed and that have not yet, oldest first, ``MOST_RANKINGS`` at most.

        Raises:
            CollectionsError: as ``mature``.
        """
        done: list[Maturity] = []
        for record in reversed(list(self._unmatured())):
            portfolio = self._recorded.portfolio(record.portfolio_id)
            if self._now().astimezone(ZoneInfo(portfolio.time_zone)).date() >= _matures_on(portfolio, terms):
                done.append(self.mature(record.ranking_id, terms, actor=actor))
            if len(done) == MOST_RANKINGS:
                break
        return done

    def after(self, seq: int, size: int, ranking_id: str = "", portfolio_id: str = "") -> list[Maturity]:
        """Return maturities in order, after one (0 for all), at most ``size``.

        Raises:
            CollectionsError: NOT_FOUND for a ranking or portfolio that is none.
        """
        if ranking_id:
            self._recorded.finished(ranking_id)
        if portfolio_id:
            self._ledger.portfolios.get(portfolio_id)
        records = self._ledger.outcomes.after(seq, size, OutcomeKind.MATURITY, portfolio_id, ranking_id)
        return [_maturity(record) for record in records]

    def latest(self, ranking_id: str) -> tuple[Maturity, MaturedOutcomes]:
        """Return the last maturity of a ranking, and its rows without those of accounts erased since.

        Raises:
            CollectionsError: NOT_FOUND for an unknown ranking; RANKING_NOT_MATURE for one that did not mature.
        """
        self._recorded.finished(ranking_id)
        record = self._ledger.outcomes.last(OutcomeKind.MATURITY, ranking_id)
        if record is None:
            told = f"{ranking_id} has not matured."
            raise refuse(Reason.RANKING_NOT_MATURE, "ranking_id", told, "Let it mature once its horizon has passed.")
        return _maturity(record), MaturedOutcomes(**self._recorder.sealed.outcomes(record.object_digest))

    def _unmatured(self) -> Iterator[RankingRecord]:
        for record in self._ledger.rankings.newest_first():
            if self._ledger.outcomes.last(OutcomeKind.MATURITY, record.ranking_id) is None:
                yield record

    def _files(self, portfolio_id: str) -> Iterator[OutcomeRecord]:
        return self._ledger.outcomes.every(OutcomeKind.FILE, portfolio_id)

    def _told(self, files: Sequence[OutcomeRecord]) -> ToldOutcomes | None:
        parts = [ToldOutcomes(**self._recorder.sealed.outcomes(record.object_digest)) for record in files]
        if not parts:
            return None
        names = ToldOutcomes.__dataclass_fields__
        return ToldOutcomes(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def _later(self, portfolio: Portfolio, own: str, terms: OutcomeTerms, named: Sequence[str]) -> list[PortfolioRecord]:
        first = portfolio.as_of_date
        last = first + timedelta(days=int(terms.of(portfolio)[0].max(initial=0)) + terms.grace_days)
        if named:
            found = [self._ledger.portfolios.get(portfolio_id) for portfolio_id in dict.fromkeys(named)]
            for record in found:
                if record.currency_code != portfolio.currency_code or record.as_of_date <= first.isoformat():
                    told = f"{record.portfolio_id} is in {record.currency_code} of {record.as_of_date}."
                    remedy = f"Name portfolios in {portfolio.currency_code} of after {first}."
                    raise refuse(Reason.INVALID_ARGUMENT, "later_portfolio_ids", told, remedy)
        else:
            found = [record for record in self._ledger.portfolios.every() if record.currency_code == portfolio.currency_code]
        within = [r for r in found if r.portfolio_id != own and first.isoformat() < r.as_of_date <= last.isoformat()]
        return sorted(within, key=lambda record: (record.as_of_date, record.portfolio_id))


def _matures_on(portfolio: Portfolio, terms: OutcomeTerms) -> date:
    return portfolio.as_of_date + timedelta(days=int(terms.of(portfolio)[0].max(initial=0)) + 1)


def _same(held: Mapping[str, object], made: Mapping[str, object]) -> bool:
    """Return whether nothing differs but the number of the last event."""
    return all(held.get(name) == value for name, value in made.items() if name != "event_sequence")


def _check_told(told: ToldOutcomes, account_id: NDArray[np.bytes_]) -> None:
    """Refuse rows about accounts that are not in a portfolio, and a second row about an account; name the first faults."""
    if not told.day.size:
        raise refuse(Reason.INVALID_ARGUMENT, "outcomes", "are empty.", "Send a row per account.")
    _, first = np.unique(told.account_id, return_index=True)
    again = np.ones(told.day.size, dtype=bool)
    again[first] = False
    faults: list[FieldViolation] = []
    for wrong, what, remedy in (
        (again, "is told of twice", "Send one row per account."),
        (~np.isin(told.account_id, account_id), "is not in the portfolio", "Leave it out, or name its portfolio."),
    ):
        rows = np.flatnonzero(wrong)[: MOST_FAULTS - len(faults)].tolist()
        shown = [told.account_id[row].decode("utf-8", "replace") for row in rows]
        named = zip(rows, shown, strict=True)
        faults += [FieldViolation(f"outcomes[{row}].account_id", f"{name!r} {what}.", remedy) for row, name in named]
    if faults:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"nothing was recorded: {faults[0]}", tuple(faults))


def _maturity(record: OutcomeRecord) -> Maturity:
    facts = record.facts
    try:
        return Maturity(
            record.seq,
            record.ranking_id,
            record.portfolio_id,
            date.fromisoformat(facts["as_of_date"]),
            date.fromisoformat(facts["matured_on"]),
            datetime.fromisoformat(record.created_at),
            parse(facts["terms"], OutcomeTerms),
            facts["event_sequence"],
            tuple(facts["later_portfolio_ids"]),
            tuple(facts["file_seqs"]),
            facts["counts"],
            facts["counts_by_source"],
            facts["contradicted_count"],
            facts["method"],
        )
    except (KeyError, ValueError, CollectionsError) as error:
        told = f"record {record.seq} cannot be read."
        raise refuse(Reason.INTEGRITY_FAILURE, "outcomes", told, "Use the code that wrote it, or newer.") from error
