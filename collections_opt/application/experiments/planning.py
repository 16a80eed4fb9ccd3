"""What an experiment would show and cost, told from recorded rankings before anybody is left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.experiments.entered import queue_worth, terms_of
from collections_opt.application.outcomes.maturity import Maturities
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.experiments.arms import covered, person_keys, protected_persons
from collections_opt.core.experiments.design import (
    MAX_DURATION_DAYS,
    MAX_HORIZON_DAYS,
    SHARE_SCALE,
    ArmKind,
    Scope,
    scope_violations,
    two_plans_scope_violations,
)
from collections_opt.core.experiments.power import (
    MIN_ARM_PERSONS,
    ExperimentPlan,
    OutcomeSpread,
    WorkedPersons,
    entering_persons,
    plan_experiment,
)
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.ledger.ledger import Ledger

EARLIER_RANKINGS = 6
"""Earlier rankings of the plan that tell how many people are new."""

LOOKED_THROUGH = 200
"""Rankings before the one named among which they are looked for."""


@dataclass(frozen=True)
class PlanQuestion:
    """What somebody plans.

    Attributes:
        ranking_id: whose would-be-worked people stand for those who will enter; all its people where two plans would share the
            work.
        share: chance of being drawn.
        duration_days: days it would last.
        horizon_days: days within which outcomes count.
        scope: whom it would be about.
        spread: of cash per person, where the caller knows it.
        wanted_effect_minor: that it should find, None for none.
        arm: what drawn people would get.
    """

    ranking_id: str
    share: float
    duration_days: int
    horizon_days: int
    scope: Scope
    spread: OutcomeSpread | None = None
    wanted_effect_minor: float | None = None
    arm: ArmKind = ArmKind.HOLDOUT


@dataclass(frozen=True)
class PlannedExperiment:
    """The answer, with what it rests on.

    Attributes:
        plan: what it would show and cost.
        spread: that was used.
        spread_source: where it comes from, for people.
        worked_count: would-be-worked people in scope of the ranking; all in scope where two plans would share the work.
        protected_count: people of the ranking who are out of the experiment.
        currency_code: of the money.
    """

    plan: ExperimentPlan
    spread: OutcomeSpread
    spread_source: str
    worked_count: int
    protected_count: int
    currency_code: str


class Trials:
    """Answers questions about experiments from recorded rankings.

    Args:
        ledger: the records.
        recorded: opens rankings.
        maturities: what became of accounts.
        now: the clock.
    """

    def __init__(self, ledger: Ledger, recorded: RecordedRankings, maturities: Maturities, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._recorded = recorded
        self._maturities = maturities
        self._now = now

    def plan(self, asked: PlanQuestion) -> PlannedExperiment:
        """Return what an experiment would show and cost.

        Raises:
            CollectionsError: NOT_FOUND; INVALID_ARGUMENT with every field at fault; RANKING_NOT_IN_FORCE as
                ``RecordedRankings.open_with_prices`` for a ranking without prices.
        """
        _check(asked)
        two_plans = asked.arm is ArmKind.TWO_PLANS
        opened = self._recorded.open(asked.ranking_id) if two_plans else self._recorded.open_with_prices(asked.ranking_id)
        persons, worked = would_be_worked(opened, asked.scope, asked.arm)
        new, days = self._entering(opened, asked, persons)
        entering = entering_persons(new, days, asked.duration_days)
        spread, source = (asked.spread, "as stated by the caller") if asked.spread else self._measured(opened, asked)
        plan = plan_experiment(spread, worked, asked.share, entering, asked.wanted_effect_minor)
        shielded = 0 if two_plans else np.unique(person_keys(opened.portfolio)[protected_persons(opened.portfolio)]).size
        return PlannedExperiment(plan, spread, source, persons.size, shielded, opened.portfolio.currency_code)

    def _measured(self, opened: OpenedRanking, asked: PlanQuestion) -> tuple[OutcomeSpread, str]:
        """Return the spread of cash of people whom a past ranking would have had worked, and which ranking that was."""
        for record in (opened.record, *self._ledger.rankings.before(opened.record.seq, LOOKED_THROUGH)):
            inputs = RankingFacts.from_record(record.record).inputs
            if inputs.plan_id != opened.facts.inputs.plan_id:
                continue
            past = self._recorded.opened(record)
            today = self._now().astimezone(ZoneInfo(past.portfolio.time_zone)).date()
            if today <= inputs.as_of_date + timedelta(days=asked.horizon_days):
                continue
            _, rows, of = _meant(past, asked.scope, asked.arm)
            cash = self._maturities.found(past, terms_of(asked.horizon_days)).cash_minor[rows]
            found = _spread_of(cash, past.entries.recovery_without_contact_minor[rows], of)
            if found is not None:
                return found, f"measured on payments to people of {record.ranking_id} of {inputs.as_of_date}"
        told = "is not set, and no payments after past rankings are at hand to measure it."
        raise refuse(Reason.INVALID_ARGUMENT, "standard_deviation", told, "Send the standard deviation of cash per person.")

    def _entering(self, opened: OpenedRanking, asked: PlanQuestion, persons: NDArray[np.bytes_]) -> tuple[list[int], int]:
        """Return would-be-worked people not met before per ranking, that of the past first, and the days between.

        The people of the ranking asked about are there at once; the pace of new ones is that of earlier rankings of its plan.
        """
        facts = opened.facts.inputs
        rankings: list[OpenedRanking] = []
        seen_days = {facts.as_of_date}
        for record in self._ledger.rankings.before(opened.record.seq, LOOKED_THROUGH):
            other = RankingFacts.from_record(record.record).inputs
            if other.plan_id != facts.plan_id or other.as_of_date in seen_days or other.as_of_date > facts.as_of_date:
                continue
            seen_days.add(other.as_of_date)
            rankings.append(self._recorded.opened(record))
            if len(rankings) == EARLIER_RANKINGS:
                break
        known = np.zeros(0, dtype="S1")
        new: list[int] = []
        for each in reversed(rankings):
            theirs, _, _ = _meant(each, asked.scope, asked.arm)
            new.append(int((~np.isin(theirs, known)).sum()))
            known = np.union1d(known, theirs)
        if not new:
            return [persons.size], 0
        first = rankings[-1].facts.inputs.as_of_date
        new.append(int((~np.isin(persons, known)).sum()))
        return [persons.size, *new[1:]], (facts.as_of_date - first).days


def would_be_worked(
    opened: OpenedRanking, scope: Scope, arm: ArmKind = ArmKind.HOLDOUT
) -> tuple[NDArray[np.bytes_], WorkedPersons]:
    """Return the people in scope whom final prices would have had worked, sorted, and what drawing each costs.

    Where an experiment was in force its intended queues say so; else whoever was worked, and was not drawn at random. Where two
    plans would share the work it is everybody in scope, at no cost: nobody is left out.
    """
    persons, rows, place = _meant(opened, scope, arm)
    entries = opened.entries
    if arm is ArmKind.TWO_PLANS:
        nothing = np.zeros(persons.size, dtype=np.int64)
        return persons, WorkedPersons(nothing, nothing)
    if arm is ArmKind.RANDOM_QUEUE:  # one account each
        costs = queue_worth(opened, rows[np.argsort(place)]).cost_of_drawing()
        return persons, WorkedPersons(*(np.rint(cost).astype(np.int64) for cost in costs))
    surplus, increment = (np.zeros(persons.size, dtype=np.int64) for _ in range(2))
    np.add.at(surplus, place, np.maximum(entries.surplus_minor[rows], 0))
    np.add.at(increment, place, np.maximum(entries.increment_minor[rows], 0))
    return persons, WorkedPersons(surplus, increment)


def _meant(opened: OpenedRanking, scope: Scope, arm: ArmKind) -> tuple[NDArray[np.bytes_], NDArray[np.int64], NDArray[np.int64]]:
    """Return would-be-worked people in scope, sorted, the rows of their accounts, and the person of each row.

    Where two plans would share the work, all people in scope with all their accounts.
    """
    entries, portfolio = opened.entries, opened.portfolio
    inside = covered(portfolio, opened.record.portfolio_id, scope, arm)
    meant = (entries.queue != UNASSIGNED) & (entries.explored == 0)
    if entries.intended_queue is not None:
        meant |= entries.intended_queue != UNASSIGNED
    rows = np.flatnonzero(inside & (meant | (arm is ArmKind.TWO_PLANS)))
    persons, place = np.unique(person_keys(portfolio)[rows], return_inverse=True)
    return persons, rows.astype(np.int64), place.astype(np.int64)


def _spread_of(cash: NDArray[np.int64], predicted: NDArray[np.int64], of: NDArray[np.int64]) -> OutcomeSpread | None:
    """Return how cash differs between people and follows what was predicted; None where it tells nothing."""
    if of.size < MIN_ARM_PERSONS or (cash < 0).any():
        return None
    paid, foreseen = (np.bincount(of, weights=each.astype(np.float64)) for each in (cash, predicted))
    deviation = float(paid.std(ddof=1))
    if not deviation > 0:
        return None
    follows = float(np.corrcoef(paid, foreseen)[0, 1]) if foreseen.std() > 0 else 0.0
    skewness = float((((paid - paid.mean()) / deviation) ** 3).mean())
    return OutcomeSpread(deviation, min(max(follows, -0.99), 0.99), skewness)


def _check(asked: PlanQuestion) -> None:
    found = list(scope_violations(asked.scope))
    if asked.arm is ArmKind.TWO_PLANS:
        found += two_plans_scope_violations(asked.scope)
    if not 1 / SHARE_SCALE <= asked.share <= 0.5:
        found.append(FieldViolation("share", f"is {asked.share}.", "Send a share from 1e-9 to 0.5, such as 0.05."))
    for name, value, most in (
        ("duration_days", asked.duration_days, MAX_DURATION_DAYS),
        ("horizon_days", asked.horizon_days, MAX_HORIZON_DAYS),
    ):
        if not 1 <= value <= most:
            found.append(FieldViolation(name, f"is {value}.", f"Send 1 to {most:,} days."))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), tuple(found))
