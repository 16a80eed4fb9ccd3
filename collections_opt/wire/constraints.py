"""Constraints of a ranking as messages."""

from __future__ import annotations

from collections_opt.api.v1 import constraints_pb2 as pb
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints, Segment
from collections_opt.wire.common import read_enum, write_enum


def read_constraints(message: pb.RankingConstraints) -> RankingConstraints:
    """Return constraints; what they mean is checked with the request.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a limit without a kind.
    """
    return RankingConstraints(
        limits=tuple(_read_limit(limit, f"constraints.limits[{i}]") for i, limit in enumerate(message.limits)),
        max_moved_count=message.max_moved_count if message.HasField("max_moved_count") else None,
        exploration_share=message.exploration_share,
    )


def write_constraints(constraints: RankingConstraints) -> pb.RankingConstraints:
    """Return constraints as a message."""
    return pb.RankingConstraints(
        limits=[_write_limit(limit) for limit in constraints.limits],
        max_moved_count=constraints.max_moved_count,
        exploration_share=constraints.exploration_share,
    )


def _read_limit(message: pb.AccountLimit, path: str) -> AccountLimit:
    segment = message.segment
    return AccountLimit(
        name=message.name,
        kind=LimitKind(read_enum(pb.LimitKind.DESCRIPTOR, message.kind, f"{path}.kind")),
        segment=Segment(tuple(segment.products), tuple(segment.states), tuple(segment.buckets)),
        queue_ids=tuple(message.queue_ids),
        account_count=message.account_count if message.HasField("account_count") else None,
        segment_share=message.segment_share if message.HasField("segment_share") else None,
    )


def _write_segment(segment: Segment) -> pb.Segment:
    return pb.Segment(products=segment.products, states=segment.states, buckets=segment.buckets)


def _write_limit(limit: AccountLimit) -> pb.AccountLimit:
    segment = limit.segment
    return pb.AccountLimit(
        name=limit.name,
        kind=write_enum(pb.LimitKind.DESCRIPTOR, limit.kind.value),
        segment=None if segment == Segment() else _write_segment(segment),
        queue_ids=limit.queue_ids,
        account_count=limit.account_count,
        segment_share=limit.segment_share,
    )
