"""Capacity plans over the API: as they are on a day, as a version, and stored as the one that follows a version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from collections_opt.api.v1 import capacity_plan_pb2
from collections_opt.api.v1 import capacity_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.wire.common import write_date


def plan_named(client: Client, plan_id: str, version: int = 0, day: date | None = None) -> capacity_plan_pb2.CapacityPlan:
    """Return a version of a plan, 0 for the latest that stands, or the plan as it is on a day.

    Raises:
        CollectionsError: NOT_FOUND; CAPACITY_PLAN_NOT_EFFECTIVE when every version starts after the day.
    """
    request = pb.GetCapacityPlanRequest(plan_id=plan_id, version=version, as_of_date=write_date(day) if day else None)
    return client.capacity.GetCapacityPlan(request).capacity_plan


def all_plan_versions(client: Client, plan_id: str) -> Iterator[capacity_plan_pb2.CapacityPlan]:
    """Yield the versions of a plan, newest first, those too that were taken back or settled for one day.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    request = pb.ListCapacityPlanVersionsRequest
    return pages(
        lambda token: client.capacity.ListCapacityPlanVersions(request(plan_id=plan_id, page_token=token)),
        lambda page: page.capacity_plans,
    )


def save_plan(
    client: Client, message: capacity_plan_pb2.CapacityPlan, follows: int, validate_only: bool = False
) -> capacity_plan_pb2.CapacityPlan:
    """Store a plan: its first version where there is none, else the one that follows a version that was read.

    Args:
        client: the connection.
        message: the whole plan.
        follows: the version that it was made from; 0 for a new plan.
        validate_only: check and store nothing.

    Raises:
        CollectionsError: ALREADY_EXISTS for a plan that is there and follows none; ETAG_MISMATCH when another version was stored
            after the one it follows.
    """
    latest = _latest(client, message.plan_id)
    if latest is None:
        create = pb.CreateCapacityPlanRequest(capacity_plan=message, validate_only=validate_only)
        return client.capacity.CreateCapacityPlan(create).capacity_plan
    if not follows:
        told = f"{message.plan_id!r} is stored, at version {latest.version}, and this follows none."
        remedy = "Export it, change that file, and save it; or say which version this follows."
        raise refuse(Reason.ALREADY_EXISTS, "follows", told, remedy)
    if follows != latest.version:
        told = f"this follows version {follows} of {message.plan_id!r}, and {latest.version} was stored since."
        raise refuse(Reason.ETAG_MISMATCH, "follows", told, "Compare the two, and make your change in the newer one.")
    update = pb.UpdateCapacityPlanRequest(capacity_plan=message, etag=latest.etag, validate_only=validate_only)
    return client.capacity.UpdateCapacityPlan(update).capacity_plan


def _latest(client: Client, plan_id: str) -> capacity_plan_pb2.CapacityPlan | None:
    try:
        return plan_named(client, plan_id)
    except CollectionsError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        return None
