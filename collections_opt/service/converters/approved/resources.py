"""Versions of resources in messages: the number of one, and what is known of it."""

from __future__ import annotations

from collections_opt.api.v1 import model_use_pb2
from collections_opt.api.v1 import resource_pb2 as pb
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.resources import ResourceApproval, ResourceVersion
from collections_opt.wire.actors import write_recorded_actor
from collections_opt.wire.common import write_enum, write_time


def read_version(number: int) -> int:
    """Return the number of a version that a request names.

    Raises:
        CollectionsError: INVALID_ARGUMENT for what numbers none.
    """
    if number < 1:
        raise refuse(Reason.INVALID_ARGUMENT, "version", f"{number} is no version.", "Send 1 or more.")
    return number


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
