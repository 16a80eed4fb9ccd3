"""Parts of what-if requests about a ranking under the bundled plan."""

from __future__ import annotations

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb

CALLS = "early-calls"


def changes(*given):
    return pb.CapacityChanges(queues=given)


def basis(ranking):
    return pb.CapacityBasis(ranking_id=ranking.ranking_id)
