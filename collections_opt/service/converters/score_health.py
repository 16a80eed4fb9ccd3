"""How accounts fit what scored them, and what people must know of it, as a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collections_opt.api.v1 import ranking_pb2


def write_health(held: Mapping[str, Any], scoring: Mapping[str, Any]) -> ranking_pb2.RankingHealth:
    """Return the health of scores from what a ranking's record, or a call's answer, says of it and of what scored."""
    return ranking_pb2.RankingHealth(
        warnings=held.get("warnings", [f"could not serve: {step}" for step in held.get("degraded", ())]),
        domain_declared=held.get("domain_declared", False),
        outside_domain_account_count=held.get("outside_domain_count", 0),
        outside_domain=_named_counts(held.get("outside_domain", {})),
        lacking_features_account_count=held.get("lacking_features_count", 0),
        lacking_features=_named_counts(held.get("lacking_features", {})),
        scored_by=[
            ranking_pb2.ScoredBy(model_version=one["model_version"], model_digest=one["model_digest"], account_count=one["count"])
            for one in scoring.get("by", ())
        ],
        domain_binding_fields=scoring.get("binds", ()),
        stale_score_count=held.get("stale_score_count", 0),
        suspect_scores_accepted=held.get("suspect_scores_accepted", ()),
        hours_not_planned_account_count=held.get("hours_not_planned_count", 0),
        unknown_categories=_named_counts(held.get("unknown_categories", {})),
        own_column_drift=[
            ranking_pb2.OwnColumnDrift(name=name, population_stability_index=milli / 1000)
            for name, milli in held.get("own_column_psi_milli", {}).items()
        ],
    )


def _named_counts(counts: Mapping[str, int]) -> list[ranking_pb2.NamedCount]:
    return [ranking_pb2.NamedCount(name=name, account_count=count) for name, count in counts.items()]
