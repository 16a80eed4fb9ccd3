"""Models, their approvals and what was done to them, as messages."""

from __future__ import annotations

from collections_opt.api.v1 import model_service_pb2 as pb
from collections_opt.api.v1 import model_use_pb2
from collections_opt.api.v1.error_reason_pb2 import ErrorReason
from collections_opt.application.models.registry import ModelView
from collections_opt.application.rankings.jobs import State
from collections_opt.application.training.jobs import Training
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import ApprovalMode, ApprovalTerms, ModelEvent, ModelKind, ModelState
from collections_opt.wire.common import write_enum, write_time

ROLES = {ModelState.CHAMPION: pb.MODEL_ROLE_CHAMPION, ModelState.CHALLENGER: pb.MODEL_ROLE_CHALLENGER}

_STATES = {
    State.RUNNING: pb.TRAINING_STATE_RUNNING,
    State.SUCCEEDED: pb.TRAINING_STATE_SUCCEEDED,
    State.FAILED: pb.TRAINING_STATE_FAILED,
    State.ABANDONED: pb.TRAINING_STATE_CANCELLED,
}


def read_kind(text: str) -> ModelKind:
    """Return a kind of model.

    Raises:
        CollectionsError: NOT_FOUND for one that does not exist.
    """
    try:
        return ModelKind(text)
    except ValueError as error:
        kinds = ", ".join(ModelKind)
        raise refuse(Reason.NOT_FOUND, "kind", f"{text[:40]!r} is unknown.", f"Use one of {kinds}.", text) from error


def write_model(view: ModelView, card: str = "") -> pb.Model:
    """Return a version with its standing."""
    manifest, standing = view.manifest, view.standing
    return pb.Model(
        kind=view.kind.value,
        version=manifest.version,
        role=ROLES.get(standing.state, pb.MODEL_ROLE_INACTIVE),
        digest=view.digest,
        file_digests=manifest.files,
        feature_set_version=manifest.feature_set_version,
        feature_names=manifest.feature_names,
        calibration_version=manifest.calibration_version,
        metrics=manifest.metrics,
        metric_intervals={name: pb.MetricInterval(low=low, high=high) for name, (low, high) in manifest.metric_intervals.items()},
        create_time=write_time(manifest.created_at),
        card=card,
        state=write_enum(pb.ModelState.DESCRIPTOR, standing.state.value),
        submitter=standing.submitter,
        validator=standing.validator,
        approval=_write_approval(standing.terms, standing.approver, standing.mode) if standing.terms else None,
        engine=manifest.engine,
    )


def write_event(event: ModelEvent) -> pb.ModelEvent:
    """Return one act on a version."""
    return pb.ModelEvent(
        sequence=event.seq,
        kind=event.kind.value,
        version=event.version,
        digest=event.digest,
        action=write_enum(pb.ModelAction.DESCRIPTOR, event.action.value),
        actor=event.actor,
        mode=write_enum(model_use_pb2.ApprovalMode.DESCRIPTOR, event.mode.value),
        note=event.note,
        approval=_write_approval(event.terms, event.actor, event.mode) if event.terms else None,
        create_time=write_time(event.at.isoformat()),
    )


def _write_approval(terms: ApprovalTerms, approver: str, mode: ApprovalMode) -> model_use_pb2.ModelApproval:
    return model_use_pb2.ModelApproval(
        approver=approver,
        mode=write_enum(model_use_pb2.ApprovalMode.DESCRIPTOR, mode.value),
        expire_time=write_time(terms.expires_at.isoformat()),
        allowed_portfolio_patterns=terms.allowed_portfolios,
        score_valid_days=terms.score_valid_days,
    )


def write_training(training: Training) -> pb.Training:
    """Return where a training stands."""
    status, request = training.status, training.request
    return pb.Training(
        training_id=training.training_id,
        kind=request.kind.value,
        version=request.version,
        state=_STATES[status.state],
        stage=status.progress.stage,
        done_share=status.progress.fraction,
        error_message=str(status.error) if status.error else "",
        error_reason=write_enum(ErrorReason.DESCRIPTOR, status.error.reason.value)
        if status.error
        else ErrorReason.ERROR_REASON_UNSPECIFIED,
        create_time=write_time(training.started_at) if training.started_at else None,
    )
