"""What a recorded ranking was made with, loaded again by digest: plan, rules, parameters, prices, model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.outcome_scorers import OutcomeScorer, RecordedModel
from collections_opt.application.records.recorded_rankings import RecordedRankings
from collections_opt.application.settings import dump, load
from collections_opt.core.arrays import digest_text
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import EffectsOf
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.losses import LossesOf
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.tables.records import RankingRecord


@dataclass(frozen=True)
class RecordedInputs:
    """A recorded ranking and everything that decided it but the accounts.

    Attributes:
        record: the ranking.
        plan: the version of the capacity plan it was made with.
        rules: its eligibility rules.
        parameters: its value model.
        prices: int64 (q,) shadow prices, in ``1 / PRICE_SCALE`` minor units per second.
        effects_of: its contact effects.
        losses_of: its recovery model's LGD; None where that of the value model stood.
    """

    record: RankingRecord
    plan: CapacityPlan
    rules: RuleTable
    parameters: ValueParameters
    prices: NDArray[np.int64]
    effects_of: EffectsOf
    losses_of: LossesOf | None


class RecordedInputsReader:
    """Loads the inputs of rankings.

    Args:
        ledger: holds plans and rules as objects that records name.
        recorded: recorded rankings.
        recorded_model: loads the recorded model; raises MODEL_UNAVAILABLE.
    """

    def __init__(self, ledger: Ledger, recorded: RecordedRankings, recorded_model: RecordedModel) -> None:
        self._ledger = ledger
        self._recorded = recorded
        self._recorded_model = recorded_model

    def read(self, ranking_id: str) -> RecordedInputs:
        """Return the inputs of a ranking by expected value, which alone has prices.

        Raises:
            CollectionsError: NOT_FOUND, RANKING_NOT_COMPLETE; INVALID_ARGUMENT for a raw order; INTEGRITY_FAILURE when the
                stored rules are not the recorded ones.
        """
        record = self._recorded.finished(ranking_id)
        held = record.record
        if held["ordering"] != Ordering.EXPECTED_VALUE.value:
            raise refuse(
                Reason.INVALID_ARGUMENT,
                "ranking_id",
                f"{ranking_id} is in the raw order {held['ordering']}, which has no prices.",
                "Name a ranking by EXPECTED_VALUE.",
            )
        return RecordedInputs(
            record=record,
            plan=self._recorded.plan_of(record),
            rules=recorded_rules(self._ledger, record),
            parameters=load(held["parameters"], ValueParameters),
            prices=np.array(held["prices"], dtype=np.int64),
            effects_of=self._recorded.effects_of(record),
            losses_of=self._recorded.losses_of(record),
        )

    def scorer_of(self, inputs: RecordedInputs) -> OutcomeScorer:
        """Return the outcome model of a ranking.

        Raises:
            CollectionsError: MODEL_UNAVAILABLE when it is not at hand, or is another one under the same name.
        """
        held = inputs.record.record
        return self._recorded_model(held["model_version"], held["model_digest"], held.get("scoring", {}))


def recorded_rules(ledger: Ledger, record: RankingRecord) -> RuleTable:
    """Return the eligibility rules that a ranking was made with, whatever is in force now.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when the object is missing or is not what was recorded.
    """
    rules = load(ledger.objects.get(record.record["rules_object"]).decode(), RuleTable)
    if digest_text(dump(rules)) != record.record["rules_digest"]:
        raise refuse(Reason.INTEGRITY_FAILURE, "rules", "their digest differs from the record.", "Restore the object.")
    return rules
