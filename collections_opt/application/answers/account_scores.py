"""Scores of accounts sent in rows: nothing is assigned, nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from collections_opt.application.answers.increment_reasons import increment_reasons
from collections_opt.application.models.serving import ModelServing, PinnedModels
from collections_opt.application.models.serving_record import serving_record
from collections_opt.application.rankings.health.score_health import health_of_call, scoring_record
from collections_opt.application.rankings.quarantine import refused_rows
from collections_opt.application.records.scoring_facts import Health, ScoredFacts, Scoring, ServedModel
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.application.resources.value_sets import ChosenValues, ValueSets
from collections_opt.core.accounts.admission import Quarantine, admit
from collections_opt.core.accounts.portfolio import Portfolio, RawPortfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError
from collections_opt.core.ranking.pipeline import RankingRequest, check_request
from collections_opt.core.value.basis import ValueBasis, value_accounts
from collections_opt.core.value.effects import ContactEffects
from collections_opt.core.value.outcomes import quantised
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.scoring.outcome.scorer import ReasonTable


@dataclass(frozen=True)
class ScoredAccounts:
    """Scores and increments of accounts sent in rows; nobody is assigned.

    ``recovery`` gave the loss given default of accounts without their own; ``values`` value them. ``health`` and ``scoring`` say
    how the accounts fit what scored, under the names of a ranking's record.
    """

    valued: ValuedAccounts
    plan: CapacityPlan
    reasons: ReasonTable
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
        refused: Callable[[Quarantine], CollectionsError] = refused_rows,
    ) -> ScoredAccounts:
        """Score rows at once: probabilities, expected recovery, increments and eligibility per queue; nothing is recorded.

        They are valued with what the call carries, else with what is in force for ``portfolio_id`` ("" is none) on that day.
        ``refused`` tells rows at fault by their paths in the request.

        Raises:
            CollectionsError: INVALID_ARGUMENT naming every row that the door refuses; as ``ValueSets.settle``.
        """
        products = carried.by_product() if carried is not None else self._values.products(portfolio_id, raw.as_of_date)
        admission = admit(replace(raw, products=tuple(products) or None))  # without any, it is said that values are missing
        if admission.quarantine.row.size:
            raise refused(admission.quarantine)
        require_wanted()
        values = self._values.settle(carried, portfolio_id, admission.portfolio)
        request = RankingRequest(plan, self._rule_tables.in_force(raw.as_of_date).rules, values.parameters)
        models = self._models.pin_all("", admission.portfolio)
        serving = models.outcome
        effects, valued = _valued(admission.portfolio, request, models)
        reasons = _reasons(valued, request, models) if with_reasons else ReasonTable.none(admission.portfolio.account_count)
        used = serving_record(serving, admission.portfolio, self._now())
        beside = models.recorded(effects.version)
        health = health_of_call(used, beside, serving, valued.worth, self._ledger)
        return ScoredAccounts(valued, plan, reasons, used, beside.recovery, values, health, scoring_record(serving))


def _valued(portfolio: Portfolio, request: RankingRequest, models: PinnedModels) -> tuple[ContactEffects, ValuedAccounts]:
    """Return what contact does to accounts, and the accounts valued as a ranking values them."""
    check_request(portfolio, request)
    require_wanted()
    outcomes = quantised(models.outcome.scorer.score(portfolio))
    require_wanted()
    effects = models.learned.effects_of(portfolio, request.plan)
    basis = ValueBasis(request.plan, request.rules, request.parameters, models.learned).knowing(effects)
    require_wanted()
    return effects, value_accounts(portfolio, outcomes, basis)


def _reasons(valued: ValuedAccounts, request: RankingRequest, models: PinnedModels) -> ReasonTable:
    """Return the reasons of each account's probabilities and increment, from one prediction."""
    require_wanted()
    scorer, effects_of = models.outcome.scorer, models.learned.effects_of
    pushes = scorer.group_pushes(valued.portfolio)
    groups = scorer.reason_groups
    require_wanted()
    worth = increment_reasons(valued, pushes.pushes, groups, request.plan, request.parameters, effects_of)
    require_wanted()
    return scorer.reasons(valued.portfolio, pushes=pushes).beside(worth)
