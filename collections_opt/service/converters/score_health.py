"""How accounts fit what scored them, and what people must know of it, as a message."""

from __future__ import annotations

from collections.abc import Mapping

from collections_opt.api.v1 import ranking_pb2
from collections_opt.application.records.scoring_facts import Health, Scoring


def write_health(health: Health, scoring: Scoring | None) -> ranking_pb2.RankingHealth:
    """Return the health of scores, recorded or answered, and of what scored; None where the policy did."""
    fit = health.fit
    return ranking_pb2.RankingHealth(
        warnings=health.told,
        domain_declared=fit is not None and fit.domain_declared,
        outside_domain_account_count=fit.outside_domain_count if fit else 0,
        outside_domain=_named_counts(fit.outside_domain if fit else {}),
        lacking_features_account_count=fit.lacking_features_count if fit else 0,
        lacking_features=_named_counts(fit.lacking_features if fit else {}),
        scored_by=[
            ranking_pb2.ScoredBy(model_version=one.model_version, model_digest=one.model_digest, account_count=one.count)
            for one in (scoring.by if scoring else ())
        ],
        domain_binding_fields=scoring.binds if scoring else (),
        stale_score_count=health.stale_score_count,
        suspect_scores_accepted=health.suspect_scores_accepted,
        hours_not_planned_account_count=health.hours_not_planned_count,
        unknown_categories=_named_counts(health.unknown_categories),
        own_column_drift=[
            ranking_pb2.OwnColumnDrift(name=name, population_stability_index=milli / 1000)
            for name, milli in health.own_column_psi_milli.items()
        ],
    )


def _named_counts(counts: Mapping[str, int]) -> list[ranking_pb2.NamedCount]:
    return [ranking_pb2.NamedCount(name=name, account_count=count) for name, count in counts.items()]
