"""What recorded constraints cost, what is missing, and what was drawn, as messages."""

from __future__ import annotations

from collections_opt.api.v1 import constraints_pb2 as pb
from collections_opt.application.records.recorded_constraints import recorded_constraints
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.core.problem.exploration import PROPENSITY_SCALE
from collections_opt.ledger.tables.records import RankingRecord
from collections_opt.wire.constraints import write_constraints


def write_recorded_constraints(record: RankingRecord) -> pb.RankingConstraints | None:
    """Return what a ranking kept to, None if nothing."""
    constraints = recorded_constraints(record)
    return write_constraints(constraints) if constraints.any else None


def write_limits(record: RankingRecord) -> list[pb.LimitOutcome]:
    """Return every limit with its price and what is missing."""
    held = record.record
    missing = {shortage["name"]: shortage["missing"] for shortage in held["proof"]["shortages"]}
    return [
        pb.LimitOutcome(name=name, price_minor_units=price / PRICE_SCALE, missing_count=missing.get(name, 0))
        for name, price in zip(held["side_names"], held["proof"]["side_prices"], strict=True)
    ]


def write_exploration(record: RankingRecord, plan: CapacityPlan) -> pb.ExplorationOutcome | None:
    """Return what the exploration reserve drew, None without one."""
    held = record.record["exploration"]
    if held is None:
        return None
    figures = zip(plan.queues, held["rate_nano"], held["used_seconds"], strict=True)
    return pb.ExplorationOutcome(
        drawn_count=held["drawn_count"],
        increment_minor_units=held["increment_minor"],
        queues=[
            pb.QueueExploration(queue_id=queue.queue_id, rate=rate / PROPENSITY_SCALE, used_minutes=used / 60.0)
            for queue, rate, used in figures
        ],
    )
