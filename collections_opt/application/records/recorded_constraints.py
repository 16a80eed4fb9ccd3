"""Constraints, their prices and shortages, and the exploration reserve, as a ranking record holds them and gives them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.settings import dump, load
from collections_opt.core.accounts.persons import Persons, persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import SideConstraints
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.problem.side_constraints import side_constraints
from collections_opt.core.ranking.pipeline import RankingRequest
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.ledger.tables.records import RankingRecord


@dataclass(frozen=True)
class RecordedSide:
    """The side rows of some accounts of a recorded ranking, None if it had none, with int64 (k,) recorded prices."""

    rows: SideConstraints | None
    prices: NDArray[np.int64]


def constraints_record(request: RankingRequest, ranking: Ranking, previous_ranking_id: str) -> dict[str, Any]:
    """Return what a record says of constraints, as integers and strings; prices and shortages are in its proof.

    ``side_limits`` are those of the problem that was optimised, after the drawn accounts' part was taken.
    """
    side, exploration = ranking.problem.side, ranking.exploration
    record: dict[str, Any] = {
        "constraints": dump(request.constraints),
        "previous_ranking_id": previous_ranking_id,
        "side_names": list(side.names) if side else [],
        "side_limits": side.limit.tolist() if side else [],
        "exploration": None,
        "persons": _persons_record(request, ranking),
    }
    if exploration is not None:
        drawn = exploration.drawn
        record["exploration"] = {
            "rate_nano": exploration.rate_nano.tolist(),
            "used_seconds": exploration.used_seconds.tolist(),
            "drawn_count": int(drawn.sum()),
            "increment_minor": int(ranking.entries.increment_minor[drawn].sum()),
        }
    return record


def _persons_record(request: RankingRequest, ranking: Ranking) -> dict[str, Any]:
    persons, count = ranking.problem.persons, ranking.portfolio.account_count
    if not request.one_contact_per_person:
        return {"one_contact": False, "person_count": 0, "most_account_count": 0}
    return {
        "one_contact": True,
        "person_count": count if persons is None else persons.count,
        "most_account_count": min(count, 1) if persons is None else int(persons.account_count.max()),
    }


def persons_bind(held: Mapping[str, Any]) -> bool:
    """Return whether a recorded ranking worked one account of each person at most; the first ones did not know persons."""
    return bool(held.get("persons", {}).get("one_contact", False))


def recorded_persons(held: Mapping[str, Any], portfolio: Portfolio) -> Persons | None:
    """Return the persons of whom a recorded ranking worked one account at most, among some of its accounts."""
    return persons_of(portfolio) if persons_bind(held) else None


def recorded_constraints(record: RankingRecord) -> RankingConstraints:
    """Return the constraints of a recorded ranking."""
    return load(record.record["constraints"], RankingConstraints)


def recorded_side(
    record: RankingRecord, portfolio: Portfolio, plan: CapacityPlan, previous_queue: NDArray[np.int16] | None
) -> RecordedSide:
    """Return the side rows of some accounts and the recorded prices; shares of a segment are not those of the whole book."""
    prices = np.array(record.record["proof"]["side_prices"], dtype=np.int64)
    return RecordedSide(side_constraints(portfolio, plan, recorded_constraints(record), previous_queue), prices)
