"""Import portfolios and keep capacity plans: what rankings are made of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from collections_opt.application.records.deletions import Deletions
from collections_opt.application.records.recorder import Recorder
from collections_opt.application.resources.capacity_calendar import CapacityCalendar
from collections_opt.application.resources.value_sets import ValueSets
from collections_opt.application.settings import dump
from collections_opt.core.accounts.admission import Admission, Quarantine, admit
from collections_opt.core.accounts.contradictions import Contradiction, contradictions
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.codes.columns import NormalisedCode
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.names import check_id
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import PlanRecord, PortfolioRecord, RequestKey

MAX_RETENTION_DAYS = 36_525
"""A hundred years."""


@dataclass(frozen=True)
class ImportedPortfolio:
    """An import as it is told to its caller.

    Attributes:
        record: stored header.
        quarantine: what was refused.
        normalised: spellings of coded facts that were replaced.
        contradictions: facts about persons that their accounts state differently.
    """

    record: PortfolioRecord
    quarantine: Quarantine
    normalised: tuple[NormalisedCode, ...]
    contradictions: tuple[Contradiction, ...] = ()


class Books:
    """The use cases around portfolios and capacity plans."""

    def __init__(self, ledger: Ledger, now: Callable[[], datetime], recorder: Recorder, values: ValueSets) -> None:
        self._ledger = ledger
        self._values = values
        self._recorder = recorder
        self._sealed = recorder.sealed
        self._now = now
        self.deletions = Deletions(ledger, recorder, now)
        self.calendar = CapacityCalendar(ledger, now, recorder.publish)

    def import_portfolio(
        self, portfolio_id: str, raw: RawPortfolio, validate_only: bool = False, actor: Actor = UNKNOWN
    ) -> PortfolioRecord:
        """Return the header of ``import_counted``."""
        return self.import_counted(portfolio_id, raw, validate_only, actor).record

    def import_counted(
        self,
        portfolio_id: str,
        raw: RawPortfolio,
        validate_only: bool = False,
        actor: Actor = UNKNOWN,
        retention_days: int = 0,
    ) -> ImportedPortfolio:
        """Admit every row once and store what was accepted beside what was quarantined; importing again is free.

        Who imported it first is recorded with it, and with ``retention_days`` from when it is deleted with the others that
        expired: so many after its as-of date; 0 never.

        Raises:
            CollectionsError: as ``admit``; ALREADY_EXISTS when the id holds other accounts or was deleted; INVALID_ARGUMENT for
                days out of range.
        """
        check_id("portfolio_id", portfolio_id)
        if not 0 <= retention_days <= MAX_RETENTION_DAYS:
            told = f"{retention_days} days."
            raise refuse(Reason.INVALID_ARGUMENT, "retention_days", told, f"Send 0 to {MAX_RETENTION_DAYS}.")
        require_wanted()
        valued = self._values.products(portfolio_id, raw.as_of_date)
        admission = admit(replace(raw, products=tuple(dict.fromkeys([*(raw.products or ()), *valued]))))
        require_wanted()
        differing = contradictions(admission.portfolio)  # first: what storing keeps of keys would be in memory beside it
        expires_on = raw.as_of_date + timedelta(days=retention_days) if retention_days else None
        record = self._stored(portfolio_id, admission, validate_only, actor, expires_on)
        return ImportedPortfolio(record, admission.quarantine, admission.normalised, differing)

    def _stored(
        self, portfolio_id: str, admission: Admission, validate_only: bool, actor: Actor, expires_on: date | None
    ) -> PortfolioRecord:
        portfolio, refused = admission.portfolio, admission.quarantine
        made = self._imported(portfolio_id, portfolio.digest, admission.row_count)
        if made is not None and not validate_only:
            return made
        record = PortfolioRecord(
            portfolio_id=portfolio_id,
            as_of_date=portfolio.as_of_date.isoformat(),
            time_zone=portfolio.time_zone,
            currency_code=portfolio.currency_code,
            row_count=admission.row_count,
            accepted_count=portfolio.account_count,
            quarantined_count=refused.row_count,
            digest=portfolio.digest,
            object_digest="" if validate_only else self._sealed.put_portfolio(portfolio),
            quarantine_digest="" if validate_only else self._sealed.put_quarantine(refused).digest,
            created_at=self._now().isoformat(),
        )
        if validate_only:
            return record
        require_wanted()
        added = self._ledger.portfolios.add(record, actor, expires_on)
        self._recorder.publish()
        return added

    def quarantine(self, portfolio_id: str) -> Quarantine:
        """Return why rows of a portfolio were refused, without those erased since."""
        return self._sealed.quarantine(self._ledger.portfolios.get(portfolio_id).quarantine_digest)

    def _imported(self, portfolio_id: str, digest: str, row_count: int) -> PortfolioRecord | None:
        """Return a portfolio that was imported with this content: sealing it again would only leave objects behind."""
        try:
            stored = self._ledger.portfolios.get(portfolio_id)
        except CollectionsError:
            return None
        return stored if (stored.digest, stored.row_count) == (digest, row_count) else None

    def save_plan(
        self,
        plan: CapacityPlan,
        expected_etag: str | None,
        validate_only: bool = False,
        actor: Actor = UNKNOWN,
        request_id: str = "",
    ) -> PlanRecord:
        """Store a plan's first version (no etag) or its next one, and who saved it; with a request id, once however often asked.

        Raises:
            CollectionsError: INVALID_ARGUMENT with every field at fault; as ``Plans.add`` and
                ``CapacityCalendar.check_next``.
        """
        check_plan(plan)
        self.calendar.check_next(plan)
        payload = dump(replace(plan, version=0))
        if validate_only:
            self._ledger.plans.check_next(plan.plan_id, expected_etag)
            return PlanRecord(plan.plan_id, 0, plan.effective_from.isoformat(), "", payload, self._now().isoformat())
        key = RequestKey(request_id, "capacity.save", digest_text(f"{expected_etag}/{payload}")) if request_id else None
        added = self._ledger.plans.add(plan.plan_id, plan.effective_from, payload, expected_etag, self._now(), key, actor)
        self._recorder.publish()
        return added

    def one_moment(self) -> AbstractContextManager[None]:
        """Within the block, let plans, models' standings, values and rules in force be asked for together and remembered."""
        return self._ledger.moments.one()

    def plan(self, plan_id: str, version: int | None = None) -> tuple[CapacityPlan, PlanRecord]:
        """Return a version of a plan, or the latest that stands, with its record (for the etag); remembered within a moment.

        Raises:
            CollectionsError: as ``Ledger.plan``.
        """

        def read() -> tuple[CapacityPlan, PlanRecord]:
            stored = self._ledger.plans.get(plan_id, version)
            return self.calendar.stored(stored), stored

        return self._ledger.moments.remembered(("plan", plan_id, version), read)

    def plan_on(self, plan_id: str, version: int | None, day: date) -> CapacityPlan:
        """Return the version that a caller names for a day, or, with None, the plan as it is on it; remembered within a moment.

        Raises:
            CollectionsError: as ``CapacityCalendar.version_on`` and ``CapacityCalendar.on``.
        """

        def read() -> CapacityPlan:
            return self.calendar.version_on(plan_id, version, day) if version else self.calendar.on(plan_id, day).plan

        return self._ledger.moments.remembered(("plan_on", plan_id, version, day), read)
