"""What is known of a version of a resource, as a message."""

from __future__ import annotations

from collections_opt.api.v1 import model_use_pb2
from collections_opt.api.v1 import resource_pb2 as pb
from collections_opt.core.resources import ResourceApproval, ResourceVersion
from collections_opt.wire.actors import write_recorded_actor
from collections_opt.wire.common import write_enum, write_time


def write_state(version: ResourceVersion) -> pb.ResourceState:
    """Return everything about a version but its content."""
    return pb.ResourceState(
        version=version.version,
        etag=version.etag,
        digest=version.digest,
        saved_by=write_recorded_actor(version.saved_by),
        note=version.note,
        create_time=write_time(version.created_at),
        approval=_write_approval(version.approval) if version.approval else None,
    )


def _write_approval(approval: ResourceApproval) -> pb.ResourceApproval:
    return pb.ResourceApproval(
        approver=write_recorded_actor(approval.by),
        mode=write_enum(model_use_pb2.ApprovalMode.DESCRIPTOR, approval.mode.value),
        note=approval.note,
        create_time=write_time(approval.created_at),
    )
