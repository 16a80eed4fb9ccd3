"""What recorded constraints cost, what is missing, and what was drawn, as messages."""

from __future__ import annotations

from collections_opt.api.v1 import constraints_pb2 as pb
from collections_opt.application.records.ranking_facts import AnswerFacts, RankingFacts
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.problem.exploration import PROPENSITY_SCALE
from collections_opt.wire.constraints import write_constraints


def write_recorded_constraints(constraints: RankingConstraints) -> pb.RankingConstraints | None:
    """Return what a ranking kept to, None if nothing."""
    return write_constraints(constraints) if constraints.any else None


def write_limits(facts: RankingFacts) -> list[pb.LimitOutcome]:
    """Return every limit with its price and what is missing."""
    proof = facts.kept.proof
    missing = {shortage.name: shortage.missing for shortage in proof.shortages}
    return [
        pb.LimitOutcome(name=name, price_minor_units=price / PRICE_SCALE, missing_count=missing.get(name, 0))
        for name, price in zip(facts.answer.side_names, proof.side_prices, strict=True)
    ]


def write_exploration(answer: AnswerFacts, plan: CapacityPlan) -> pb.ExplorationOutcome | None:
    """Return what the exploration reserve drew, None without one."""
    held = answer.exploration
    if held is None:
        return None
    figures = zip(plan.queues, held.rate_nano, held.used_seconds, strict=True)
    return pb.ExplorationOutcome(
        drawn_count=held.drawn_count,
        increment_minor_units=held.increment_minor,
        queues=[
            pb.QueueExploration(queue_id=queue.queue_id, rate=rate / PROPENSITY_SCALE, used_minutes=used / 60.0)
            for queue, rate, used in figures
        ],
    )
