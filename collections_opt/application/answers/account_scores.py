"""Scores of accounts sent in rows: nothing is assigned, nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from collections_opt.application.answers.increment_reasons import increment_reasons
from collections_opt.application.models.serving import ModelServing
from collections_opt.application.models.serving_record import serving_record
from collections_opt.application.rankings.health.score_health import health_of_call, scoring_record
from collections_opt.application.rankings.quarantine import refused_rows
from collections_opt.application.records.scoring_facts import Health, ScoredFacts, Scoring, ServedModel
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.application.resources.value_sets import ChosenValues, ValueSets
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import (
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    SolveOptions,
    SolverIdentity,
    Termination,
    ignore_progress,
)
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.scoring.outcome.scorer import Reason as ScoreReason


@dataclass(frozen=True)
class ScoredAccounts:
    """Scores and increments of accounts sent in rows; ``ranking.assignment`` is empty: nobody is assigned.

    ``recovery`` gave the loss given default of accounts without their own; ``values`` value them. ``health`` and ``scoring`` say
    how the accounts fit what scored, under the names of a ranking's record.
    """

    ranking: Ranking
    plan: CapacityPlan
    reasons: tuple[tuple[ScoreReason, ...], ...]
    model_use: ScoredFacts
    recovery: ServedModel
    values: ChosenValues
    health: Health
    scoring: Scoring | None


class AccountScores:
    """Scores rows with the models that serve; ``ledger`` holds their approvals."""

    def __init__(
        self, ledger: Ledger, models: ModelServing, rule_tables: RuleTables, values: ValueSets, now: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._models = models
        self._rule_tables = rule_tables
        self._values = values
        self._now = now

    def score(
        self,
        raw: RawPortfolio,
        plan: CapacityPlan,
        carried: ValueParameters | None,
        with_reasons: bool = True,
        portfolio_id: str = "",
    ) -> ScoredAccounts:
        """Score rows at once: probabilities, expected recovery, increments and eligibility per queue; nothing is recorded.

        They are valued with what the call carries, else with what is in force for ``portfolio_id`` ("" is none) on that day.

        Raises:
            CollectionsError: INVALID_ARGUMENT naming every row that the door refuses; as ``ValueSets.settle``.
        """
        valued = carried.by_product() if carried is not None else self._values.products(portfolio_id, raw.as_of_date)
        admission = admit(replace(raw, products=tuple(valued) or None))  # without any, it is said that values are missing
        if admission.quarantine.row.size:
            raise refused_rows(admission.quarantine)
        values = self._values.settle(carried, portfolio_id, admission.portfolio)
        request = RankingRequest(plan, self._rule_tables.in_force(raw.as_of_date).rules, values.parameters)
        models = self._models.pin_all("", admission.portfolio)
        serving, learned = models.outcome, models.learned
        ranking = rank(
            admission.portfolio,
            request,
            serving.scorer.score,
            _assign_nobody,
            require_wanted,
            learned=learned,
        )
        nothing: tuple[tuple[ScoreReason, ...], ...] = ((),) * admission.portfolio.account_count
        reasons = nothing
        if with_reasons:
            require_wanted()
            pushes = serving.scorer.group_pushes(admission.portfolio)
            groups, effects_of = serving.scorer.reason_groups, learned.effects_of
            worth = increment_reasons(ranking, pushes.pushes, groups, plan, values.parameters, effects_of)
            require_wanted()
            scored = serving.scorer.reasons(admission.portfolio, pushes=pushes)
            reasons = tuple(a + b for a, b in zip(scored, worth, strict=True))
        used = serving_record(serving, admission.portfolio, self._now())
        beside = models.recorded(ranking.effects_version)
        health = health_of_call(used, beside, serving, ranking, self._ledger)
        return ScoredAccounts(ranking, plan, reasons, used, beside.recovery, values, health, scoring_record(serving))


def _assign_nobody(problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> Assignment:  # noqa: ARG001 - the interface of solvers
    nobody = np.full(problem.account_count, -1, dtype=np.int16)
    free = np.zeros(problem.queue_count, dtype=np.int64)
    return Assignment(nobody, free, free[:0], 0, 0, Termination.HEURISTIC, SolverIdentity("none", "1"))
