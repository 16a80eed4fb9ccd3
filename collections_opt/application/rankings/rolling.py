"""Portfolios that follow from others and events: rolled forward to a later day, or what remains of a day that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.rankings.in_force import ranking_in_force, require_workable
from collections_opt.application.rankings.told_rows import RowsOf, told_events
from collections_opt.application.records.derivation import Derivation, read_derivation
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.recorder import Recorder
from collections_opt.application.records.sealed_records import StoredPortfolio
from collections_opt.application.resources.capacity_calendar import CapacityCalendar
from collections_opt.core.accounts.admission import NO_QUARANTINE
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.day.live import Moment
from collections_opt.core.day.rolling import (
    RolledAccounts,
    day_begins,
    remaining_accounts,
    roll_forward,
    same_accounts,
    spent_seconds,
)
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.desk.remaining import remaining_plan
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.names import check_id
from collections_opt.core.scopes import present_scope
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.leases import Leases, LeaseTurn
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import PortfolioRecord, RankingRecord

MAX_DAYS_AHEAD = 7
"""How far ahead of the desk's day a portfolio is rolled: over a long weekend, not into days whose events are all to come."""

_EVER = datetime(9000, 1, 1, tzinfo=UTC)
"""What was recorded up to the last event is known, whenever."""


class Rolling:
    """Derives portfolios.

    Args:
        ledger: the records.
        recorder: opens and seals portfolios, and signs the log.
        log: the events.
        leases: who is held.
        calendar: plans over time.
        now: the clock.
    """

    def __init__(
        self,
        ledger: Ledger,
        recorder: Recorder,
        log: EventLog,
        leases: Leases,
        calendar: CapacityCalendar,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._sealed = recorder.sealed
        self._log = log
        self._leases = leases
        self._calendar = calendar
        self._now = now

    def derivation(self, portfolio_id: str) -> Derivation | None:
        """Return what a portfolio was derived from, None for one that was imported.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        return read_derivation(self._sealed.derivation(self._ledger.portfolios.get(portfolio_id).object_digest))

    def roll_forward(
        self,
        portfolio_id: str,
        as_of_date: date,
        rolled_portfolio_id: str = "",
        events_are_complete: bool = False,
        actor: Actor = UNKNOWN,
        validate_only: bool = False,
    ) -> tuple[PortfolioRecord, Derivation]:
        """Make the portfolio of a later day from the one that was imported and all events since; the same again is stored once.

        Args:
            portfolio_id: a portfolio; one that was derived itself stands for the one that was imported.
            as_of_date: the day.
            rolled_portfolio_id: id of what is made; "" takes the imported one's with the day.
            events_are_complete: as ``roll_forward`` of the core.
            actor: who asks.
            validate_only: store nothing.

        Raises:
            CollectionsError: NOT_FOUND; INVALID_ARGUMENT for a day before the portfolio's or too far ahead; ALREADY_EXISTS where
                the id holds other accounts, such as those of before later events.
        """
        _need_events("portfolio_id")
        base_id = self._imported(portfolio_id)
        made_id = rolled_portfolio_id or f"{base_id}.{as_of_date}"
        check_id("rolled_portfolio_id", made_id)
        record, stored = self._ledger.portfolios.get(base_id), self._stored(base_id)
        portfolio = stored.portfolio
        today = self._now().astimezone(ZoneInfo(portfolio.time_zone)).date()
        first, last = portfolio.as_of_date, max(today + timedelta(MAX_DAYS_AHEAD), portfolio.as_of_date)
        if not first <= as_of_date <= last:
            told = f"{as_of_date} is not within {first} and {last}."
            raise refuse(Reason.INVALID_ARGUMENT, "as_of_date", told, "Send a day that the events reach.")
        events = told_events(stored, self._log.after)
        moment = _moment(record, stored, day_begins(portfolio, as_of_date), as_of_date)
        rolled = roll_forward(portfolio, events.columns, moment, events_are_complete)
        derivation = Derivation(
            base_portfolio_id=base_id,
            base_digest=portfolio.digest,
            through_sequence=events.last,
            at=moment.at.astimezone(UTC),
            left_out=dict(rolled.left_out),
            events_are_complete=events_are_complete,
        )
        return self._kept(made_id, rolled, derivation, actor, validate_only)

    def remaining(self, command: RankingCommand, actor: Actor = UNKNOWN) -> RankingCommand:
        """Return a command for what remains of a running day: the accounts that are still to be decided as they stand, under the
        plan without the minutes that are spent and committed, from the prices of the ranking in work.

        The same command again is settled as it was first.

        Raises:
            CollectionsError: NOT_FOUND; RANKING_NOT_IN_FORCE where no ranking of today is worked.
        """
        made_id = f"{self._base(command.portfolio_id)}.{command.ranking_id}"
        try:
            known = self.derivation(made_id)
        except CollectionsError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            known = None
        if known is None:
            known = self._rest(command, made_id, actor)
        day = self._ledger.portfolios.get(made_id).as_of_date
        plan = self._plan(command, known, date.fromisoformat(day))
        return replace(command, portfolio_id=made_id, plan_version=plan.version, previous_ranking_id=known.remains_of)

    def worked_ranking(self, command: RankingCommand) -> RankingRecord:
        """Return the ranking in work that a command for what remains goes on from: the one it names, or the one in force.

        Raises:
            CollectionsError: as ``remaining``.
        """
        _need_events("remaining_capacity")
        base_id = self._base(command.portfolio_id)
        day = date.fromisoformat(self._ledger.portfolios.get(base_id).as_of_date)
        if command.previous_ranking_id:
            record = self._ledger.rankings.get(command.previous_ranking_id)
        else:
            record = ranking_in_force(self._ledger, command.plan_id, day, base_id)
        require_workable(record)
        facts = RankingFacts.from_record(record.record)
        if self._base(record.portfolio_id) != base_id or facts.inputs.plan_id != command.plan_id:
            told = f"{record.ranking_id} is of another portfolio or desk."
            raise refuse(Reason.RANKING_NOT_IN_FORCE, "previous_ranking_id", told, "Name the ranking that is worked.")
        now = self._now()
        today = now.astimezone(ZoneInfo(facts.kept.time_zone)).date()
        if day != today:
            told = f"is for {day}, and the desk's day is {today}."
            raise refuse(Reason.RANKING_NOT_IN_FORCE, "portfolio_id", told, "Roll it forward, and rank that day first.")
        return record

    def difference(self, portfolio_id: str) -> tuple[str, int]:
        """Return how a derived portfolio differs from what follows from its base and events, "" where it does not; and how many
        events were erased since, with which it cannot be derived anew."""
        stored, record = self._stored(portfolio_id), self._ledger.portfolios.get(portfolio_id)
        derivation = read_derivation(stored.derivation)
        if derivation is None:
            return "", 0
        base, header = self._stored(derivation.base_portfolio_id), self._ledger.portfolios.get(derivation.base_portfolio_id)
        events = told_events(base, self._log.after, derivation.through_sequence)
        if events.erased_count:
            return "", events.erased_count
        day = derivation.begins(date.fromisoformat(record.as_of_date))
        moment = _moment(header, base, derivation.at, day)
        if day is not None:
            again = roll_forward(base.portfolio, events.columns, moment, derivation.events_are_complete)
        else:
            nobody = np.zeros(base.portfolio.account_count, dtype=bool)
            several = derivation.several_contacts_per_person
            again = remaining_accounts(base.portfolio, events.columns, moment, nobody, several)
        ids, mine = again.portfolio.column("account_id"), stored.portfolio.column("account_id")
        there = np.isin(ids, mine)
        missing = int((~there).sum())
        if int(there.sum()) != mine.size or (stored.leaf_count == mine.size and missing != derivation.left_out.get("HELD", 0)):
            return "other accounts follow from its base and events", 0
        follows = same_accounts(again.portfolio.take(np.flatnonzero(there)), stored.portfolio)
        return ("" if follows else "its accounts stand otherwise than its base and events say"), 0

    def _rest(self, command: RankingCommand, made_id: str, actor: Actor) -> Derivation:
        worked = self.worked_ranking(command)
        base_id = self._base(command.portfolio_id)
        record, stored = self._ledger.portfolios.get(base_id), self._stored(base_id)
        plan = self._full_plan(command, date.fromisoformat(record.as_of_date))
        several = plan.several_contacts_per_person
        now = self._now()
        with self._leases.look() as turn:
            held, committed = _held(turn, stored, plan, self._of_day(base_id))
            events = told_events(stored, turn.events_after)
        rest = remaining_accounts(stored.portfolio, events.columns, _moment(record, stored, now, None), held, several)
        ids = tuple(queue.queue_id for queue in plan.queues)
        spent = spent_seconds(events.columns, ids, day_begins(stored.portfolio, stored.portfolio.as_of_date))
        derivation = Derivation(
            base_portfolio_id=base_id,
            base_digest=stored.portfolio.digest,
            through_sequence=events.last,
            at=now,
            left_out=dict(rest.left_out),
            remains_of=worked.ranking_id,
            several_contacts_per_person=several,
            spent_seconds=dict(zip(ids, spent.tolist(), strict=True)),
            committed_seconds=committed,
        )
        return self._kept(made_id, rest, derivation, actor, validate_only=False)[1]

    def _of_day(self, base_id: str) -> Callable[[str], bool]:
        """Return what says whether a ranking is of a portfolio's day: its own, or of what remained of it."""
        known: dict[str, bool] = {}

        def of_day(ranking_id: str) -> bool:
            if ranking_id not in known:
                known[ranking_id] = self._base(self._ledger.rankings.get(ranking_id).portfolio_id) == base_id
            return known[ranking_id]

        return of_day

    def _plan(self, command: RankingCommand, derivation: Derivation, day: date) -> CapacityPlan:
        plan = self._full_plan(command, day)
        zone = self._ledger.portfolios.get(derivation.base_portfolio_id).time_zone
        rest = remaining_plan(plan, derivation.used_seconds, derivation.at, zone)
        return self._calendar.settled_rest(plan, day, rest)

    def _full_plan(self, command: RankingCommand, day: date) -> CapacityPlan:
        if command.plan_version:
            return self._calendar.version_on(command.plan_id, command.plan_version, day)
        return self._calendar.settled(command.plan_id, day)

    def _kept(
        self, made_id: str, rolled: RolledAccounts, derivation: Derivation, actor: Actor, validate_only: bool
    ) -> tuple[PortfolioRecord, Derivation]:
        portfolio = rolled.portfolio
        count = portfolio.account_count
        record = PortfolioRecord(
            portfolio_id=made_id,
            as_of_date=portfolio.as_of_date.isoformat(),
            time_zone=portfolio.time_zone,
            currency_code=portfolio.currency_code,
            row_count=count,
            accepted_count=count,
            quarantined_count=0,
            digest=portfolio.digest,
            object_digest="" if validate_only else self._sealed.put_portfolio(portfolio, derivation.text()),
            quarantine_digest="" if validate_only else self._sealed.put_quarantine(NO_QUARANTINE).digest,
            created_at=self._now().isoformat(),
        )
        if validate_only:
            return record, derivation
        added = self._ledger.portfolios.add(record, actor)
        self._recorder.publish()
        return added, self.derivation(made_id) or derivation

    def _imported(self, portfolio_id: str) -> str:
        """Return the imported portfolio that one was derived from, or itself."""
        while (derivation := self.derivation(portfolio_id)) is not None:
            portfolio_id = derivation.base_portfolio_id
        return portfolio_id

    def _base(self, portfolio_id: str) -> str:
        """Return the portfolio of the day of which one is what remains, or itself."""
        while (derivation := self.derivation(portfolio_id)) is not None and derivation.remains_of:
            portfolio_id = derivation.base_portfolio_id
        return portfolio_id

    def _stored(self, portfolio_id: str) -> StoredPortfolio:
        return self._sealed.portfolio(self._ledger.portfolios.get(portfolio_id).object_digest)


def _need_events(field: str) -> None:
    """Refuse a caller who sees no events: what follows from none of them would let everybody be contacted again."""
    if present_scope().is_limited:
        told = "needs events, which a token limited to a scope does not see."
        raise refuse(Reason.PERMISSION_DENIED, field, told, "Ask with a wider token.")


def _moment(record: PortfolioRecord, stored: StoredPortfolio, at: datetime, day: date | None) -> Moment:
    """Return what is asked of a portfolio's rows."""
    return Moment(at, _EVER, datetime.fromisoformat(record.created_at), known_through(stored), day)


def known_through(stored: StoredPortfolio) -> int:
    """Return the last event that a portfolio's rows know of, -1 for one that was imported."""
    derivation = read_derivation(stored.derivation)
    return -1 if derivation is None else derivation.through_sequence


def _held(
    turn: LeaseTurn, stored: StoredPortfolio, plan: CapacityPlan, of_day: Callable[[str], bool]
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Return which rows agents hold, with the others of their persons; and the time that leases of the day should take."""
    rows_of = RowsOf(stored)
    customers = stored.portfolio.column("customer_id")
    held = np.zeros(customers.size, dtype=bool)
    committed = {queue.queue_id: 0 for queue in plan.queues}
    for lease in turn.changed_after(-1):
        for row in rows_of.of_key(lease.account_no):
            held[[row, *rows_of.of_customer(bytes(customers[row]))]] = True
        if lease.queue_id in committed and of_day(lease.ranking_id):
            committed[lease.queue_id] += lease.seconds
    return held, committed
