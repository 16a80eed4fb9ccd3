"""What a ranking takes from the one before: prices to start the solver from, and decisions to count moves from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.problem.constraints import MOVES, RankingConstraints
from collections_opt.core.problem.side_constraints import NOT_COMPARED
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import PreviousDecisions
from collections_opt.core.ranking.ranking import Entries


@dataclass(frozen=True)
class PreviousRanking:
    """The previous ranking in terms of the current plan and constraints.

    Attributes:
        prices: int64 (q,) price of each queue of the current plan, 0 for queues it did not have; None if it has no prices.
        side_prices: int64 (k,) price of each current row, by name; None likewise.
        decisions: its decisions; None if they are not needed.
    """

    prices: NDArray[np.int64] | None
    side_prices: NDArray[np.int64] | None
    decisions: PreviousDecisions | None


NO_PREVIOUS = PreviousRanking(None, None, None)
"""Where none was named: the solver starts from nothing, and no moves are counted."""


def previous_ranking(
    facts: RankingFacts,
    entries: Entries | None,
    its_plan: CapacityPlan,
    plan: CapacityPlan,
    constraints: RankingConstraints,
) -> PreviousRanking:
    """Return a recorded ranking as seen from a plan and constraints; queues and rows are matched by id and name."""
    here = {queue.queue_id: index for index, queue in enumerate(plan.queues)}
    place = np.array([here.get(queue.queue_id, NOT_COMPARED) for queue in its_plan.queues], dtype=np.int64)
    decisions = None
    if entries is not None:
        moved = place[np.maximum(entries.queue, 0)]
        queue = np.where(entries.queue == UNASSIGNED, UNASSIGNED, moved).astype(np.int16)
        decisions = PreviousDecisions(entries.account_id, queue)
    if facts.answer.ordering is not Ordering.EXPECTED_VALUE:
        return PreviousRanking(None, None, decisions)
    prices = np.zeros(len(plan.queues), dtype=np.int64)
    kept = place >= 0
    prices[place[kept]] = facts.answer.queue_prices[kept]
    before = dict(zip(facts.answer.side_names, facts.kept.proof.side_prices, strict=True))
    names = [limit.name for limit in constraints.limits] + ([MOVES] if constraints.max_moved_count is not None else [])
    side_prices = np.array([before.get(name, 0) for name in names], dtype=np.int64)
    return PreviousRanking(prices, side_prices, decisions)
