"""Which model scored, as a message, from what the record says."""

from __future__ import annotations

from collections.abc import Iterable

from collections_opt.api.v1 import model_use_pb2 as pb
from collections_opt.application.records.scoring_facts import RecordedApproval, ScoredFacts, ShadowScores
from collections_opt.core.value.outcomes import PROBABILITY_SCALE
from collections_opt.wire.common import write_date, write_enum, write_time

_LIST = ("worked_count", "same_count", "dropped_count", "added_count", "moved_count")
_GAINS = ("gain_by_model_minor", "gain_by_challenger_minor")
_SHADOW = ("agreement", "rank_correlation_cure", "rank_correlation_default", "top_default_overlap", "mean_absolute_difference")


def write_recorded_use(scored: ScoredFacts, shadow: Iterable[ShadowScores] = ()) -> pb.ModelUse:
    """Return what scored and why nothing better did, with the challengers beside it."""
    return pb.ModelUse(
        step=write_enum(pb.LadderStep.DESCRIPTOR, scored.step.value),
        degraded=[
            pb.DegradedStep(
                step=write_enum(pb.LadderStep.DESCRIPTOR, d.step.value), model_version=d.model_version, problem=d.problem
            )
            for d in scored.degraded
        ],
        approval=_write_approval(scored.approval) if scored.approval else None,
        scores_expire_date=write_date(scored.expire_on),
        scores_stale=scored.stale,
        shadow=[_write_shadow(each) for each in shadow],
    )


def _write_approval(approval: RecordedApproval) -> pb.ModelApproval:
    return pb.ModelApproval(
        approver=approval.approver,
        mode=write_enum(pb.ApprovalMode.DESCRIPTOR, approval.mode.value),
        expire_time=write_time(approval.expires_at.isoformat()),
        allowed_portfolio_patterns=approval.allowed_portfolios,
    )


def _write_shadow(shadow: ShadowScores) -> pb.ShadowComparison:
    nano = {name: getattr(shadow, f"{name}_nano") for name in _SHADOW}
    figures = {name: value / PROBABILITY_SCALE for name, value in nano.items() if value is not None}
    listed = {name: getattr(shadow, name) for name in _LIST} | {f"{name}_units": getattr(shadow, name) for name in _GAINS}
    return pb.ShadowComparison(model_version=shadow.model_version, problem=shadow.problem, **figures, **listed)
