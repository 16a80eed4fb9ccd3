"""What recorded rankings hold: their inputs, entries, worklists and how they compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.effect_serving import recorded_effects
from collections_opt.application.models.recovery_serving import recorded_losses
from collections_opt.application.models.shadow import shadow_losses
from collections_opt.application.rankings.jobs import JobStatus, State
from collections_opt.application.rankings.previous_ranking import PreviousRanking, previous_ranking
from collections_opt.application.records.recorded_constraints import (
    RecordedSide,
    persons_bind,
    recorded_constraints,
    recorded_side,
)
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.application.settings import load
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.evaluation.comparison import OrderingOutcome, compare
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import EffectsOf
from collections_opt.core.ranking.ranking import Entries
from collections_opt.core.value.losses import LossesOf
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.tables.records import RankingRecord, WorklistEntry


class RecordedRankings:
    """Reads rankings; ``status_of`` says where one stands that may still be made."""

    def __init__(self, ledger: Ledger, sealed: SealedRecords, status_of: Callable[[str], JobStatus | None]) -> None:
        self._ledger = ledger
        self._sealed = sealed
        self._status_of = status_of

    def finished(self, ranking_id: str) -> RankingRecord:
        """Return a recorded ranking.

        Raises:
            CollectionsError: RANKING_NOT_COMPLETE while it runs, its own error if it failed, RANKING_ABANDONED, NOT_FOUND.
        """
        status = self._status_of(ranking_id)
        if status is not None and status.state is State.RUNNING:
            raise refuse(Reason.RANKING_NOT_COMPLETE, "ranking_id", f"{ranking_id} is still running.", "Watch it until it ends.")
        if status is not None and status.error is not None:
            raise status.error
        return self._ledger.ranking(ranking_id)

    def portfolio(self, portfolio_id: str) -> Portfolio:
        """Return a stored portfolio without accounts erased since; the last one read stays in memory."""
        return self._sealed.portfolio(self._ledger.portfolio(portfolio_id).object_digest).portfolio

    def plan_of(self, record: RankingRecord) -> CapacityPlan:
        """Return the plan a ranking was made with."""
        stored = self._ledger.plan(record.record["plan_id"], record.record["plan_version"])
        return replace(load(stored.payload, CapacityPlan), version=stored.version)

    def effects_of(self, record: RankingRecord) -> EffectsOf:
        """Return the contact effects a ranking was made with, as ``recorded_effects``."""
        return recorded_effects(self._ledger.objects, record.record)

    def losses_of(self, record: RankingRecord) -> LossesOf | None:
        """Return the LGD a ranking was made with, as ``recorded_losses``."""
        return recorded_losses(self._ledger.objects, record.record)

    def entries(self, record: RankingRecord) -> Entries:
        """Return a ranking's entries, one per account that was not erased since.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when the object's bytes differ from the record.
        """
        stored = self._sealed.entries(record.record["entries_object"])
        if not stored.erased_count and stored.entries.digest != record.record["entries_digest"]:
            raise refuse(Reason.INTEGRITY_FAILURE, "entries", "their digest differs from the record.", "Restore the object.")
        return stored.entries

    def shadow_losses(self, ranking_id: str, account_id: NDArray[np.bytes_], outcome: NDArray[np.int64]) -> dict[str, float]:
        """Return the log loss of a ranking's model and of every challenger on accounts whose outcome is known.

        Raises:
            CollectionsError: as ``finished``; NOT_FOUND for an account that the ranking does not hold.
        """
        record = self.finished(ranking_id)
        stored = self._sealed.entries(record.record["entries_object"])
        return shadow_losses(record.record, stored, account_id, outcome, self._ledger.objects)

    def worklist(
        self, ranking_id: str, queue_id: str, after_priority: int, size: int
    ) -> tuple[RankingRecord, list[WorklistEntry]]:
        """Return a page of a queue's accounts in order."""
        record = self.finished(ranking_id)
        queue = self.plan_of(record).queue_index(queue_id)
        return record, self._ledger.worklist(ranking_id, queue, after_priority, size)

    def compare(self, ranking_ids: Sequence[str]) -> list[OrderingOutcome]:
        """Return rankings of one portfolio, capacity and constraints beside the first.

        Raises:
            CollectionsError: INVALID_ARGUMENT for different accounts, values or limits.
        """
        records = [self._compared(index, ranking_id) for index, ranking_id in enumerate(ranking_ids)]
        first = records[0]
        for index, record in enumerate(records):
            moves = recorded_constraints(first).max_moved_count is not None
            counted_from = ("previous_ranking_id",) if moves else ()
            for name in ("input_digest", "plan_id", "plan_version", "rules_version", "parameters", "constraints", *counted_from):
                if record.record[name] != first.record[name]:
                    raise refuse(
                        Reason.INVALID_ARGUMENT,
                        f"ranking_ids[{index}]",
                        f"differs from the first in {name}.",
                        "Compare like with like.",
                    )
            if persons_bind(record.record) != persons_bind(first.record):
                message = "differs from the first in how often a person may be contacted."
                raise refuse(Reason.INVALID_ARGUMENT, f"ranking_ids[{index}]", message, "Compare like with like.")
        reference = self.entries(first)
        compared = []
        for record in records:
            require_wanted()
            compared.append(compare(Ordering(record.record["ordering"]), self.entries(record), reference))
        return compared

    def _compared(self, index: int, ranking_id: str) -> RankingRecord:
        try:
            return self.finished(ranking_id)
        except CollectionsError as error:
            found = tuple(replace(v, field=f"ranking_ids[{index}]") for v in error.violations)
            raise CollectionsError(error.reason, error.message, found) from error

    def side_of(self, record: RankingRecord, portfolio: Portfolio, plan: CapacityPlan) -> RecordedSide:
        """Return the side rows that a recorded ranking kept to, for these accounts, with their recorded prices."""
        return recorded_side(record, portfolio, plan, self._previous_queues(record, portfolio, plan))

    def _previous_queues(self, record: RankingRecord, portfolio: Portfolio, plan: CapacityPlan) -> NDArray[np.int16] | None:
        """Return where the accounts were in the ranking that a recorded one counts moves from; None if it counts none."""
        constraints = recorded_constraints(record)
        if constraints.max_moved_count is None:
            return None
        decisions = self.previous(record.record["previous_ranking_id"], plan, constraints).decisions
        return decisions.of(portfolio) if decisions else None

    def previous(self, ranking_id: str, plan: CapacityPlan, constraints: RankingConstraints) -> PreviousRanking:
        """Return the previous ranking, a blank one if none is named."""
        if not ranking_id:
            return PreviousRanking(None, None, None)
        try:
            record = self.finished(ranking_id)
        except CollectionsError as error:
            remedy = "Name a recorded ranking, or none."
            raise refuse(error.reason, "previous_ranking_id", f"cannot be used: {error.message}", remedy) from error
        entries = self.entries(record) if constraints.max_moved_count is not None else None
        return previous_ranking(record, entries, self.plan_of(record), plan, constraints)
