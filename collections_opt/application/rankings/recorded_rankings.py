"""What recorded rankings hold: their inputs, entries, worklists and how they compare."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.shadow import shadow_losses
from collections_opt.application.rankings.jobs import JobStatus, State
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.previous_ranking import NO_PREVIOUS, PreviousRanking
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.evaluation.comparison import OrderingOutcome, compare
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Entries
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord, WorklistEntry

_COMPARED = {name: name for name in ("input_digest", "plan_id", "plan_version", "rules_version")}
_COMPARED |= {"parameters": "parameters_text", "constraints": "constraints_text"}
"""What rankings that are compared have in common, by the name that errors give it."""

KEPT_PLANS = 64
"""Capacity plans kept in memory, by their content."""


class RecordedRankings:
    """Reads rankings; ``status_of`` says where one stands that may still be made."""

    def __init__(self, ledger: Ledger, sealed: SealedRecords, status_of: Callable[[str], JobStatus | None]) -> None:
        self._ledger = ledger
        self._sealed = sealed
        self._status_of = status_of
        self._lock = threading.Lock()
        self._last: tuple[int, OpenedRanking] | None = None
        self._plans: dict[str, CapacityPlan] = {}

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
        return self._ledger.rankings.get(ranking_id)

    def portfolio(self, portfolio_id: str) -> Portfolio:
        """Return a stored portfolio without accounts erased since; the last one read stays in memory."""
        return self._sealed.portfolio(self._ledger.portfolios.get(portfolio_id).object_digest).portfolio

    def open(self, ranking_id: str) -> OpenedRanking:
        """Return a recorded ranking opened.

        Raises:
            CollectionsError: as ``finished``.
        """
        return self.opened(self.finished(ranking_id))

    def opened(self, record: RankingRecord) -> OpenedRanking:
        """Return a ranking opened; the last one stays in memory, with what was read of it, until somebody is erased."""
        count = self._sealed.erasure_count()
        with self._lock:
            last = self._last
        if last is None or last[0] != count or last[1].record != record:
            last = (count, OpenedRanking(record, self._ledger, self._sealed))
            with self._lock:
                self._last = last
        return last[1]

    def open_with_prices(self, ranking_id: str) -> OpenedRanking:
        """Return a ranking by expected value opened, which alone has prices.

        Raises:
            CollectionsError: as ``finished``; INVALID_ARGUMENT for a raw order.
        """
        opened = self.open(ranking_id)
        if opened.ordering is not Ordering.EXPECTED_VALUE:
            raise refuse(
                Reason.INVALID_ARGUMENT,
                "ranking_id",
                f"{ranking_id} is in the raw order {opened.ordering}, which has no prices.",
                "Name a ranking by EXPECTED_VALUE.",
            )
        return opened

    def plan_of(self, record: RankingRecord) -> CapacityPlan:
        """Return the plan that a ranking was made with; a page of rankings reads each of their plans once."""
        digest = RankingFacts.from_record(record.record).inputs.plan_digest
        with self._lock:
            plan = self._plans.get(digest)
        if plan is None:
            plan = self.opened(record).plan
            with self._lock:
                self._plans = {**dict(list(self._plans.items())[-KEPT_PLANS:]), digest: plan}
        return plan

    def entries(self, record: RankingRecord) -> Entries:
        """Return a ranking's entries, as ``OpenedRanking.entries``."""
        return self.opened(record).entries

    def shadow_losses(self, ranking_id: str, account_id: NDArray[np.bytes_], outcome: NDArray[np.int64]) -> dict[str, float]:
        """Return the log loss of a ranking's model and of every challenger on accounts whose outcome is known.

        Raises:
            CollectionsError: as ``finished``; NOT_FOUND for an account that the ranking does not hold.
        """
        opened = self.open(ranking_id)
        return shadow_losses(opened.facts, opened.entries, opened.challengers, account_id, outcome)

    def worklist(
        self, ranking_id: str, queue_id: str, after_priority: int, size: int
    ) -> tuple[RankingRecord, list[WorklistEntry]]:
        """Return a page of a queue's accounts in order."""
        record = self.finished(ranking_id)
        queue = self.plan_of(record).queue_index(queue_id)
        return record, self._ledger.worklists.page(ranking_id, queue, after_priority, size)

    def compare(self, ranking_ids: Sequence[str]) -> list[OrderingOutcome]:
        """Return rankings of one portfolio, capacity and constraints beside the first.

        Raises:
            CollectionsError: INVALID_ARGUMENT for different accounts, values or limits.
        """
        records = [self._compared(index, ranking_id) for index, ranking_id in enumerate(ranking_ids)]
        told = [RankingFacts.from_record(record.record) for record in records]
        first = told[0]
        moves = first.inputs.constraints.max_moved_count is not None
        counted_from = {"previous_ranking_id": "previous_ranking_id"} if moves else {}
        for index, facts in enumerate(told):
            for name, attribute in {**_COMPARED, **counted_from}.items():
                if getattr(facts.inputs, attribute) != getattr(first.inputs, attribute):
                    raise refuse(
                        Reason.INVALID_ARGUMENT,
                        f"ranking_ids[{index}]",
                        f"differs from the first in {name}.",
                        "Compare like with like.",
                    )
            if facts.answer.persons.one_contact != first.answer.persons.one_contact:
                message = "differs from the first in how often a person may be contacted."
                raise refuse(Reason.INVALID_ARGUMENT, f"ranking_ids[{index}]", message, "Compare like with like.")
        reference = self.entries(records[0])
        compared = []
        for record, facts in zip(records, told, strict=True):
            require_wanted()
            compared.append(compare(facts.answer.ordering, self.entries(record), reference))
        return compared

    def _compared(self, index: int, ranking_id: str) -> RankingRecord:
        try:
            return self.finished(ranking_id)
        except CollectionsError as error:
            found = tuple(replace(v, field=f"ranking_ids[{index}]") for v in error.violations)
            raise CollectionsError(error.reason, error.message, found) from error

    def previous(self, ranking_id: str, plan: CapacityPlan, constraints: RankingConstraints) -> PreviousRanking:
        """Return the previous ranking, a blank one if none is named."""
        if not ranking_id:
            return NO_PREVIOUS
        try:
            before = self.open(ranking_id)
        except CollectionsError as error:
            remedy = "Name a recorded ranking, or none."
            raise refuse(error.reason, "previous_ranking_id", f"cannot be used: {error.message}", remedy) from error
        return before.seen_from(plan, constraints)
