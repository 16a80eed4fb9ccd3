"""A recorded ranking put together again from what was stored, for checking it and for making it anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.effect_serving import recorded_effects
from collections_opt.application.models.recovery_serving import recorded_losses
from collections_opt.application.rankings.previous_ranking import PreviousRanking, previous_ranking
from collections_opt.application.records.recorded_constraints import recorded_persons
from collections_opt.application.records.sealed_records import SealedRecords, StoredEntries, StoredPortfolio
from collections_opt.application.settings import load
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import UNASSIGNED, Assignment, Shortage, SolverIdentity, Termination
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.problem.exploration import Exploration, draw
from collections_opt.core.problem.side_constraints import side_constraints
from collections_opt.core.ranking.ordering import Ordering, RawOrder, raw_order_key
from collections_opt.core.ranking.pipeline import EffectsOf
from collections_opt.core.ranking.ranking import Entries, make_entries
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.losses import LossesOf
from collections_opt.core.value.outcomes import OutcomeProbabilities, from_nano
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.value.valued_accounts import ValuedAccounts, value_accounts
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.tables.records import RankingRecord
from collections_opt.solvers import solve_in_order


@dataclass(frozen=True)
class RecordedDecision:
    """Everything that was stored about a ranking, opened.

    Attributes:
        record: its header.
        plan: the capacity plan, from the object that the record names.
        rules: the eligibility rules, likewise.
        parameters: the value model.
        inputs: the accounts that were not erased since.
        stored: what was decided for them.
        effects_of: the contact effects, from the text that the record names or from the plan.
        losses_of: the recovery model's LGD, likewise; None where that of the value model stood.
        constraints: limits beside eligibility and capacity.
        previous: the ranking that it started from and counted moves from.
    """

    record: RankingRecord
    plan: CapacityPlan
    rules: RuleTable
    parameters: ValueParameters
    inputs: StoredPortfolio
    stored: StoredEntries
    effects_of: EffectsOf
    losses_of: LossesOf | None
    constraints: RankingConstraints
    previous: PreviousRanking

    @property
    def held(self) -> dict[str, Any]:
        """The record's content."""
        return dict(self.record.record)

    @property
    def ordering(self) -> Ordering:
        """Which order decided."""
        return Ordering(self.held["ordering"])

    @property
    def erased_count(self) -> int:
        """Accounts erased since: what they contributed to totals cannot be recomputed."""
        return self.stored.erased_count

    def valued(self) -> ValuedAccounts:
        """Return the accounts valued from their recorded probabilities, with their side rows: no model is asked."""
        entries = self.stored.entries
        nano = np.column_stack([entries.p_cure_nano, entries.p_default_nano, entries.p_stay_nano])
        never = np.zeros(len(nano), dtype=bool)
        outcomes = OutcomeProbabilities(from_nano(nano), self.held["model_version"], self.held["calibration_version"], never)
        portfolio, decisions = self.inputs.portfolio, self.previous.decisions
        valued = value_accounts(portfolio, outcomes, self.plan, self.rules, self.parameters, self.effects_of, self.losses_of)
        before = decisions.of(portfolio) if decisions else None
        side = side_constraints(portfolio, self.plan, self.constraints, before)
        persons = recorded_persons(self.held, portfolio)
        return replace(valued, problem=replace(valued.problem, side=side, persons=persons))

    def exploration(self, valued: ValuedAccounts) -> Exploration | None:
        """Return the accounts that the recorded seed draws, None without a reserve."""
        share = self.constraints.exploration_share
        return draw(valued.problem, share, self.held["seed"]) if share > 0 else None

    def assignment(self) -> Assignment:
        """Return the recorded answer of the solver: accounts that were drawn before are not its own."""
        entries = self.stored.entries
        held, proof = self.held, self.held["proof"]
        return Assignment(
            queue=np.where(entries.explored == 1, UNASSIGNED, entries.queue).astype(np.int16),
            prices=np.array(held["prices"], dtype=np.int64),
            side_prices=np.array(proof["side_prices"], dtype=np.int64),
            objective_minor=held["objective_minor"],
            bound_minor=held["bound_minor"],
            termination=Termination(held["termination"]),
            solver=SolverIdentity(held["solver"], held["solver_version"], tuple(sorted(held["solver_parameters"].items()))),
            bound_by_search=proof["bound_by_search"],
            shortages=tuple(Shortage(**shortage) for shortage in proof["shortages"]),
        )

    def recomputed_entries(self, valued: ValuedAccounts) -> tuple[Entries, NDArray[np.uint8], Assignment]:
        """Return entries and rule codes as they follow from values and the recorded answer; a raw order is sorted anew."""
        raw, answer = None, self.assignment()
        exploration = self.exploration(valued)
        if self.ordering is not Ordering.EXPECTED_VALUE:
            seed = self.held["seed"]
            key = raw_order_key(self.ordering, valued.portfolio, valued.outcomes, valued.worth, seed)
            raw = solve_in_order(RawOrder(self.ordering, key, seed), valued.problem, exploration)
            answer = replace(raw.assignment, solver=answer.solver)
        entries = make_entries(
            valued.portfolio,
            valued.outcomes,
            valued.worth,
            valued.eligibility,
            valued.problem,
            answer,
            raw,
            exploration,
        )
        return entries, rule_codes(valued), answer


def rule_codes(valued: ValuedAccounts) -> NDArray[np.uint8]:
    """Return the strictest rule of accounts that no queue may work, uint8 (n,), 0 for the others."""
    return np.asarray(valued.eligibility.blocked_by.min(axis=1, initial=np.iinfo(np.uint8).max), dtype=np.uint8)


def read_decision(ledger: Ledger, sealed: SealedRecords, record: RankingRecord) -> RecordedDecision:
    """Return a recorded ranking opened.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when an object is missing or damaged.
    """
    held = record.record
    plan, constraints = _plan(ledger, record), load(held["constraints"], RankingConstraints)
    return RecordedDecision(
        record=record,
        plan=plan,
        rules=load(ledger.objects.get(held["rules_object"]).decode(), RuleTable),
        parameters=load(held["parameters"], ValueParameters),
        inputs=sealed.portfolio(ledger.portfolio(record.portfolio_id).object_digest),
        stored=sealed.entries(held["entries_object"]),
        effects_of=recorded_effects(ledger.objects, held),
        losses_of=recorded_losses(ledger.objects, held),
        constraints=constraints,
        previous=_previous(ledger, sealed, held["previous_ranking_id"], plan, constraints),
    )


def _plan(ledger: Ledger, record: RankingRecord) -> CapacityPlan:
    return load(ledger.objects.get(record.record["plan_object"]).decode(), CapacityPlan)


def _previous(
    ledger: Ledger, sealed: SealedRecords, ranking_id: str, plan: CapacityPlan, constraints: RankingConstraints
) -> PreviousRanking:
    if not ranking_id:
        return PreviousRanking(None, None, None)
    record = ledger.ranking(ranking_id)
    entries = sealed.entries(record.record["entries_object"]).entries if constraints.max_moved_count is not None else None
    return previous_ranking(record, entries, _plan(ledger, record), plan, constraints)
