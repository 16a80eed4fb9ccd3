"""What a capacity what-if starts from: accounts valued once, and an answer under the plan as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.serving import ModelServing
from collections_opt.application.rankings.books import Books
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.resources.rule_tables import RuleTables, TableVersion
from collections_opt.application.resources.value_sets import ValueSets
from collections_opt.application.settings import dump
from collections_opt.core.accounts.persons import Persons, persons_of
from collections_opt.core.arrays import digest_text
from collections_opt.core.desk.capacity_changes import same_cells
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import LadderStep
from collections_opt.core.problem.assignment import (
    INELIGIBLE,
    UNASSIGNED,
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    SolveOptions,
    SolveProgress,
    Termination,
    ignore_progress,
)
from collections_opt.core.problem.exploration import Exploration, withdraw
from collections_opt.core.problem.queue_columns import FRESH, rearranged
from collections_opt.core.progress import within
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.ranking.ranking import Entries
from collections_opt.core.ranking.what_if import PlannedAnswer, renumbered
from collections_opt.core.value.basis import ValueBasis, value_accounts
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.value.stated_money import StatedMoney
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.solvers import SOLVERS, PriceIntervals, lagrangian_bound, price_intervals


@dataclass(frozen=True)
class CapacityBaseline:
    """Accounts with the answer to start from.

    Attributes:
        ranking_id: the recorded ranking, "" for a portfolio ranked for the call.
        valued: the accounts, scored and valued under the answer's plan.
        answer: plan, cells and assignment.
        intervals: between what its prices may lie and still be optimal.
        drawn: bool (n,) accounts that the ranking drew at random: they stay where they are and are no part of the answer.
        reserved_seconds: int64 (q,) time of the answer's queues that they take.
        basis: what they are valued by, under the answer's plan.
        rule_tables: the versions that its rules are of; none for a ranking of before tables were kept.
        solver: name, in ``SOLVERS``, of what made the answer.
        seed: seed of the solver and of the RANDOM order.
        stated: what to expect of the answer, None where it was recorded before this was counted.
    """

    ranking_id: str
    valued: ValuedAccounts
    answer: PlannedAnswer
    intervals: PriceIntervals
    drawn: NDArray[np.bool_]
    reserved_seconds: NDArray[np.int64]
    basis: ValueBasis
    solver: str
    seed: int
    stated: StatedMoney | None = None
    rule_tables: tuple[TableVersion, ...] = ()

    def expected_minor(self, objective_minor: int) -> int | None:
        """Return what to expect of an objective of these accounts: shrunk as the answer's own; None where that is not known."""
        if self.stated is None:
            return None
        chosen_by = self.stated.chosen_by_minor
        return round(objective_minor * self.stated.expected_minor / chosen_by) if chosen_by > 0 else objective_minor

    def problem_under(self, plan: CapacityPlan) -> AssignmentProblem:
        """Return the cells of another plan; the columns of queues that value accounts alike are those at hand.

        The minutes of accounts drawn at random stay theirs, as far as the queue still has them.

        Raises:
            CollectionsError: VALUE_OVERFLOW, as ``value_matrix``.
        """
        mine = self.answer.plan.queues
        places = renumbered(plan, self.answer.plan)
        reserved = np.where(places >= 0, self.reserved_seconds[np.maximum(places, 0)], 0)
        capacity = np.maximum(plan.capacity_seconds - reserved, 0)
        alike = [place >= 0 and same_cells(mine[place], q) for place, q in zip(places.tolist(), plan.queues, strict=True)]
        source = [place if same else FRESH for place, same in zip(places.tolist(), alike, strict=True)]
        problem = replace(self.answer.problem, persons=self._persons_under(plan))
        if not _judge_alike(plan, self.answer.plan):
            value, seconds = self._cells(plan)
            fresh = [index for index, place in enumerate(source) if place == FRESH]
            arranged = rearranged(problem, source, value[:, fresh], seconds[:, fresh], capacity)
            return replace(arranged, value=value, seconds=seconds)
        if source == list(range(len(mine))):
            return replace(problem, capacity_seconds=capacity)
        part = replace(plan, queues=tuple(queue for queue, same in zip(plan.queues, alike, strict=True) if not same))
        if not part.queues:
            return rearranged(problem, source, problem.value[:, :0], problem.seconds[:, :0], capacity)
        return rearranged(problem, source, *self._cells(part), capacity)

    def _cells(self, plan: CapacityPlan) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
        """Return increments and times under a plan, without those of accounts drawn at random."""
        new = value_accounts(self.valued.portfolio, self.valued.outcomes, self.basis.under(plan)).problem
        return self._without_drawn(new.value), new.seconds

    def problem_of(self, valued: ValuedAccounts) -> AssignmentProblem:
        """Return the cells of the same accounts valued otherwise under the answer's plan; the same object where none differs."""
        mine, value = self.answer.problem, self._without_drawn(valued.problem.value)
        if np.array_equal(value, mine.value) and np.array_equal(valued.problem.seconds, mine.seconds):
            return mine
        return replace(mine, value=value, seconds=valued.problem.seconds)

    def _without_drawn(self, value: NDArray[np.int32]) -> NDArray[np.int32]:
        bound = self.answer.problem.persons
        withdrawn = self.drawn if bound is None else bound.any_of(self.drawn)
        return np.where(withdrawn[:, np.newaxis], INELIGIBLE, value).astype(np.int32)

    def _persons_under(self, plan: CapacityPlan) -> Persons | None:
        """Return who may be contacted once under another plan; where the plans say the same, it is as in the answer."""
        if plan.several_contacts_per_person == self.answer.plan.several_contacts_per_person:
            return self.answer.problem.persons
        return None if plan.several_contacts_per_person else persons_of(self.valued.portfolio)


class CapacityBaselines:
    """Makes baselines; the last one stays in memory until somebody is erased: the next question about it is only a re-solve."""

    def __init__(
        self,
        books: Books,
        recorded: RecordedRankings,
        models: ModelServing,
        rule_tables: RuleTables,
        values: ValueSets,
        erasure_count: Callable[[], int],
    ) -> None:
        self._books = books
        self._recorded = recorded
        self._models = models
        self._rule_tables = rule_tables
        self._values = values
        self._erasure_count = erasure_count
        self._lock = threading.Lock()
        self._last: tuple[str, CapacityBaseline] | None = None

    def of_ranking(self, ranking_id: str, progress: ProgressCallback = ignore_progress) -> CapacityBaseline:
        """Return a recorded ranking's accounts with its scores, cells, assignment and prices; no model is needed.

        Raises:
            CollectionsError: as ``RecordedRankings.open_with_prices``; INTEGRITY_FAILURE when its objects differ from the record.
        """
        key = f"{ranking_id}/{self._erasure_count()}"
        known = self._known(key)
        if known is not None:
            return known
        opened = self._recorded.open_with_prices(ranking_id)
        facts = opened.facts
        progress(SolveProgress("read", 0.05))
        entries = opened.entries
        progress(SolveProgress("value", 0.2))
        valued = opened.valued()
        problem, reserved = _optimised(valued.offered, entries)
        progress(SolveProgress("price intervals", 0.3))
        assignment, seed = _recorded_assignment(opened, problem), facts.inputs.seed
        baseline = CapacityBaseline(
            ranking_id=ranking_id,
            valued=valued,
            answer=PlannedAnswer(opened.plan, problem, assignment),
            intervals=price_intervals(problem, assignment, SolveOptions(seed=seed)),
            drawn=entries.explored.astype(bool) | entries.kept_out,
            reserved_seconds=reserved,
            basis=opened.basis,
            solver=facts.answer.solver if facts.answer.solver in SOLVERS else "default",
            seed=seed,
            stated=facts.answer.stated_money,
            rule_tables=facts.sources.rule_tables,
        )
        return self._remember(key, baseline)

    def of_portfolio(
        self,
        portfolio_id: str,
        plan_id: str,
        plan_version: int | None,
        carried: ValueParameters | None,
        progress: ProgressCallback = ignore_progress,
    ) -> CapacityBaseline:
        """Score and rank a portfolio by expected value with the model that serves it, without recording it.

        It is valued with what the call carries, else with what is in force.

        Raises:
            CollectionsError: NOT_FOUND; MODEL_UNAVAILABLE; as ``check_request`` and ``rank``.
        """
        portfolio = self._recorded.portfolio(portfolio_id)
        plan = self._books.plan_on(plan_id, plan_version, portfolio.as_of_date)
        models = self._models.pin_all(portfolio_id, portfolio)
        serving = models.outcome
        if serving.step is LadderStep.POLICY_ORDER:
            raise refuse(
                Reason.MODEL_UNAVAILABLE,
                "portfolio_id",
                "no approved model can score it; a policy's order has no prices.",
                "Promote a model, or start from a recorded ranking.",
            )
        binding = self._rule_tables.in_force(portfolio.as_of_date)
        parameters = self._values.settle(carried, portfolio_id, portfolio).parameters
        decided_by = (serving.scorer.digest, *models.identity, *(each.digest for each in binding.versions))
        key = digest_text("\n".join((portfolio.digest, dump(plan), dump(parameters), *decided_by)))
        known = self._known(key)
        if known is not None:
            return known
        request = RankingRequest(plan, binding.rules, parameters)
        basis = ValueBasis(plan, binding.rules, parameters, models.learned)
        part = within(progress, 0.0, 0.35)
        score, solve = serving.scorer.score, SOLVERS["default"]
        ranking = rank(portfolio, request, score, solve, part, learned=models.learned)
        valued = ValuedAccounts(portfolio, ranking.outcomes, ranking.eligibility, ranking.worth, ranking.problem)
        baseline = CapacityBaseline(
            ranking_id="",
            valued=valued,
            answer=PlannedAnswer(plan, ranking.problem, ranking.assignment),
            intervals=price_intervals(ranking.problem, ranking.assignment, request.options),
            drawn=np.zeros(portfolio.account_count, dtype=bool),
            reserved_seconds=np.zeros(len(plan.queues), dtype=np.int64),
            basis=basis,
            solver="default",
            seed=request.options.seed,
            stated=ranking.stated,
            rule_tables=binding.versions,
        )
        return self._remember(key, baseline)

    def _known(self, key: str) -> CapacityBaseline | None:
        with self._lock:
            return self._last[1] if self._last and self._last[0] == key else None

    def _remember(self, key: str, baseline: CapacityBaseline) -> CapacityBaseline:
        with self._lock:
            self._last = (key, baseline)
        return baseline


def _judge_alike(plan: CapacityPlan, other: CapacityPlan) -> bool:
    """Return whether rules read accounts alike under two plans, whatever their queues."""
    several = plan.several_contacts_per_person == other.several_contacts_per_person
    return several and plan.facts_at_most_days == other.facts_at_most_days


def _optimised(whole: AssignmentProblem, entries: Entries) -> tuple[AssignmentProblem, NDArray[np.int64]]:
    """Return the problem that the recorded answer is to, without accounts drawn at random, and the time these take."""
    none = np.zeros(whole.queue_count, dtype=np.int64)
    drawn = entries.explored.astype(bool)
    if not drawn.any():
        return whole, none
    queue = np.where(entries.explored, entries.queue, UNASSIGNED).astype(np.int16)
    np.add.at(none, queue[drawn], entries.seconds[drawn])
    return withdraw(whole, Exploration(queue, np.zeros_like(none), none)), none


def _recorded_assignment(opened: OpenedRanking, problem: AssignmentProblem) -> Assignment:
    """Return the recorded answer for the accounts that can still be read; with nobody erased its figures are the record's."""
    recorded = opened.assignment()
    worked = np.flatnonzero(recorded.queue != UNASSIGNED)
    objective = int(problem.value[worked, recorded.queue[worked]].sum(dtype=np.int64))
    if objective == recorded.objective_minor:
        return recorded
    return replace(
        recorded,
        objective_minor=objective,
        bound_minor=lagrangian_bound(problem, recorded.prices, recorded.side_prices),
        termination=Termination.LIMIT,
        bound_by_search=False,
    )


def warm_options(baseline: CapacityBaseline, prices: NDArray[np.int64]) -> SolveOptions:
    """Return options that start a re-solve from prices, with the side prices of the answer at hand."""
    return SolveOptions(seed=baseline.seed, warm_prices=prices, warm_side_prices=baseline.answer.assignment.side_prices)
