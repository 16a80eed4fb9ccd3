"""What commands say of a model version: its state, its end, who approved it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.protobuf.json_format import MessageToDict

from collections_opt.api.v1 import model_service_pb2 as pb
from collections_opt.core.models.lifecycle import mode_remark
from collections_opt.scoring.evaluation.metrics import calibrated_of, worst_calibrated


def plain(message: Any) -> dict[str, Any]:
    """Return a message for machines."""
    return dict(MessageToDict(message, preserving_proto_field_name=True))


def state_of(model: pb.Model) -> str:
    """Return a version's state as a word."""
    return pb.ModelState.Name(model.state).removeprefix("MODEL_STATE_")


def expiry_of(model: pb.Model) -> str:
    """Return the day an approval ends."""
    return model.approval.expire_time.ToDatetime().date().isoformat() if model.HasField("approval") else "-"


def approved_by(model: pb.Model) -> str:
    """Return who approved a version; what nobody else looked at says so."""
    mode = plain(model.approval).get("mode", "").removeprefix("APPROVAL_MODE_")
    return (model.approval.approver or "-") + mode_remark(mode)


def worst_calibration(model: pb.Model) -> str:
    """Return the outcome that is calibrated worst, with slope, its interval and error; "-" where its figures are not told."""
    intervals = {name: (held.low, held.high) for name, held in model.metric_intervals.items()}
    found = calibrated_of(dict(model.metrics), intervals)
    worst = worst_calibrated(found)
    if not worst:
        return "-"
    one = found[worst]
    return f"{worst} {one.slope:.2f} ({one.slope_low:.2f}-{one.slope_high:.2f}), {one.ece:.3f}"


def figure(model: pb.Model, name: str) -> str:
    """Return an out-of-time figure."""
    return f"{model.metrics[name]:.4f}" if name in model.metrics else "-"


def interval(model: pb.Model, name: str) -> str:
    """Return the interval of an out-of-time figure."""
    if name not in model.metric_intervals:
        return "-"
    held = model.metric_intervals[name]
    return f"{held.low:.4f} to {held.high:.4f}"


def line(event: pb.ModelEvent) -> list[str]:
    """Return an event as a line of a table."""
    when: datetime = event.create_time.ToDatetime()
    mode = plain(event)["mode"].removeprefix("APPROVAL_MODE_")
    return [
        str(event.sequence),
        pb.ModelAction.Name(event.action).removeprefix("MODEL_ACTION_"),
        event.actor,
        mode,
        when.isoformat(" ", "minutes"),
        event.note or "-",
    ]
