"""Whether two plans can share the work of a desk from a day on: their minutes stand as people do, and nobody is worked yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from collections_opt.application.rankings.in_force import owed_to_work, portfolio_of_day
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.resources.capacity_calendar import CapacityCalendar
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.desk.split import TOLERANCE, shared_queues, uneven_queues
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.experiments.design import ArmKind, ExperimentDesign
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.core.scopes import EVERYTHING, seeing
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord

_PAGE = 50
_SPLIT = "Split a stored plan with `experiment split-plan`, or save versions of them from that day on."


class PlanSplits:
    """Judges experiments of two plans by the plans and rankings that are recorded.

    Args:
        ledger: the records.
        calendar: plans over time.
    """

    def __init__(self, ledger: Ledger, calendar: CapacityCalendar) -> None:
        self._ledger = ledger
        self._calendar = calendar

    def check_start(self, design: ExperimentDesign) -> None:
        """Refuse two plans that cannot share the work; other experiments pass.

        Raises:
            CollectionsError: RESOURCE_STATE_CONFLICT for a plan that is not in force on the first day, for plans of two
                currencies or without a queue in common, for a queue whose minutes do not stand as people do, and where a
                ranking of the days to come was made to be worked already.
        """
        if design.arm is not ArmKind.TWO_PLANS:
            return
        plan, challenger = (self._plan(name, design) for name in ("plan_id", "challenger_plan_id"))
        if plan.currency_code != challenger.currency_code:
            told = f"is in {challenger.currency_code}, {plan.plan_id} in {plan.currency_code}."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "challenger_plan_id", told, "Name two plans of one desk.")
        if not shared_queues(plan, challenger):
            told = f"has no queue of {plan.plan_id}: their minutes cannot be compared."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "challenger_plan_id", told, _SPLIT)
        self._check_minutes(design, plan, challenger)
        self._check_unworked(design)

    def _plan(self, name: str, design: ExperimentDesign) -> CapacityPlan:
        plan_id = design.plan_id if name == "plan_id" else design.challenger_plan_id
        try:
            return self._calendar.on(plan_id, design.starts_on).plan
        except CollectionsError as error:
            if error.reason not in (Reason.NOT_FOUND, Reason.CAPACITY_PLAN_NOT_EFFECTIVE):
                raise
            told = f"{plan_id!r} has no version in force on {design.starts_on}, the first day."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, name, told, _SPLIT) from error

    @staticmethod
    def _check_minutes(design: ExperimentDesign, plan: CapacityPlan, challenger: CapacityPlan) -> None:
        uneven = uneven_queues(plan, challenger, design.share)
        if not uneven:
            return
        worst = uneven[0]
        whole = worst.minutes + worst.challenger_minutes
        told = (
            f"{len(uneven)} queue(s) do not share minutes as the plans share people: {worst.queue_id} has {worst.minutes:,.1f} "
            f"minutes in {plan.plan_id} and {worst.challenger_minutes:,.1f} in {challenger.plan_id}, where a share of "
            f"{design.share:.2%} of both is {design.share * whole:,.1f} (within {TOLERANCE:.0%} of both, and a minute)."
        )
        raise refuse(Reason.RESOURCE_STATE_CONFLICT, "challenger_plan_id", told, _SPLIT)

    def _check_unworked(self, design: ExperimentDesign) -> None:
        """Refuse days of which a list is out, or being made, that shares nobody: whoever is on it could be worked twice."""
        with seeing(EVERYTHING):
            for record in self._made_from(design):
                inputs = RankingFacts.from_record(record.record).inputs
                if inputs.made_for is RankingPurpose.WORK and design.scope.names(portfolio_of_day(record)):
                    told = f"{inputs.plan_id} made a ranking of {inputs.as_of_date} to be worked, and it shares nobody."
                    remedy = "Let the experiment begin on a later day than any that is ranked."
                    raise refuse(Reason.RESOURCE_STATE_CONFLICT, "start_date", told, remedy)
            for owed in owed_to_work(self._ledger):
                day = date.fromisoformat(self._ledger.portfolios.get(owed.portfolio_id).as_of_date)
                if design.runs_on(day) and design.scope.names(owed.portfolio_id):
                    told = f"{owed.plan_id} is making a ranking of {day} to be worked, and it shares nobody."
                    raise refuse(Reason.RESOURCE_STATE_CONFLICT, "start_date", told, "Let the experiment begin on a later day.")

    def _made_from(self, design: ExperimentDesign) -> Iterator[RankingRecord]:
        """Yield the rankings of the experiment's days, newest day first."""
        after: tuple[str, int] | None = None
        while page := self._ledger.rankings.by_day(None, after, _PAGE):
            for record in page:
                day = RankingFacts.from_record(record.record).inputs.as_of_date
                if day < design.starts_on:
                    return
                if day <= design.ends_on:
                    yield record
            last = RankingFacts.from_record(page[-1].record).inputs.as_of_date
            after = last.isoformat(), page[-1].seq
