"""Which model scored, as a message, from what the record says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collections_opt.api.v1 import model_use_pb2 as pb
from collections_opt.core.value.outcomes import PROBABILITY_SCALE
from collections_opt.wire.common import write_date, write_enum, write_time

_SHADOW = ("agreement", "rank_correlation_cure", "rank_correlation_default", "top_default_overlap", "mean_absolute_difference")


def write_recorded_use(record: Mapping[str, Any]) -> pb.ModelUse:
    """Return the model's part of a ranking's record."""
    approval = record["model_approval"]
    return pb.ModelUse(
        step=write_enum(pb.LadderStep.DESCRIPTOR, record["model_step"]),
        degraded=[
            pb.DegradedStep(
                step=write_enum(pb.LadderStep.DESCRIPTOR, d["step"]), model_version=d["model_version"], problem=d["problem"]
            )
            for d in record["degraded"]
        ],
        approval=_write_approval(approval) if approval else None,
        scores_expire_date=write_date(record["scores_expire_on"]),
        scores_stale=record["scores_stale"],
        shadow=[_write_shadow(shadow) for shadow in record.get("shadow", ())],
    )


def _write_approval(approval: Mapping[str, Any]) -> pb.ModelApproval:
    return pb.ModelApproval(
        approver=approval["approver"],
        mode=write_enum(pb.ApprovalMode.DESCRIPTOR, approval["mode"]),
        expire_time=write_time(approval["expires_at"]),
        allowed_portfolio_patterns=approval["allowed_portfolios"],
    )


def _write_shadow(shadow: Mapping[str, Any]) -> pb.ShadowComparison:
    figures = {name: shadow[f"{name}_nano"] / PROBABILITY_SCALE for name in _SHADOW if f"{name}_nano" in shadow}
    return pb.ShadowComparison(model_version=shadow["model_version"], problem=shadow["problem"], **figures)
