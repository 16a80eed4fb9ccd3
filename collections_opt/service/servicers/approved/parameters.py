"""ParametersService: value parameters that people save and approve, and what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from collections_opt.api.v1 import parameters_service_pb2 as pb
from collections_opt.api.v1 import value_set_pb2
from collections_opt.application.resources.approved import ApprovalCommand
from collections_opt.application.resources.value_sets import ValueSets
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.names import check_id, list_violations
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_acting
from collections_opt.service.converters.approved.resources import read_version
from collections_opt.service.converters.approved.value_sets import read_value_set, write_choices, write_value_set
from collections_opt.service.servicers.paging import read_page
from collections_opt.wire import parameters
from collections_opt.wire.common import read_date, read_uuid4, told_as
from collections_opt.wire.parameters import write_parameters

_SAVED: Mapping[str, str] = MappingProxyType(
    {
        **{name: f"value_set.{told}" for name, told in parameters.HEADS.items()},
        "value_parameters": "value_set.value_parameters",
        "resource_id": "value_set.set_id",
        "effective_from": "value_set.effective_from",
        "portfolios": "value_set.portfolio_patterns",
    }
)
"""Where the fields of a set are in a request that saves one."""

_NAMED: Mapping[str, str] = MappingProxyType({"resource_id": "set_id"})
_ASKED: Mapping[str, str] = MappingProxyType({"value_parameters.products": "products"})


class ParametersServicer:
    """Saves, approves and shows sets of value parameters."""

    def __init__(self, values: ValueSets) -> None:
        self._values = values
        self._sets = values.resources

    def create_value_set(self, request: pb.CreateValueSetRequest, context: Call) -> pb.CreateValueSetResponse:
        """Save a first version."""
        actor = read_acting(request.actor, context)
        return pb.CreateValueSetResponse(value_set=self._save(request, None, actor))

    def update_value_set(self, request: pb.UpdateValueSetRequest, context: Call) -> pb.UpdateValueSetResponse:
        """Save the next version."""
        if not request.etag:
            raise refuse(Reason.INVALID_ARGUMENT, "etag", "is empty.", "Send the etag of the version this one follows.")
        actor = read_acting(request.actor, context)
        return pb.UpdateValueSetResponse(value_set=self._save(request, request.etag, actor))

    def approve_value_set(self, request: pb.ApproveValueSetRequest, context: Call) -> pb.ApproveValueSetResponse:
        """Let a version come into force."""
        command = ApprovalCommand(
            resource_id=request.set_id,
            version=read_version(request.version),
            self_approved=request.self_approved,
            note=request.note,
            request_id=read_uuid4(request.request_id),
        )
        with told_as(_NAMED):
            approved = self._sets.approve(command, read_acting(request.actor, context), request.validate_only)
        return pb.ApproveValueSetResponse(value_set=write_value_set(approved))

    def get_value_set(self, request: pb.GetValueSetRequest, _context: Call) -> pb.GetValueSetResponse:
        """Return a version or the latest."""
        version = read_version(request.version) if request.version else None
        with told_as(_NAMED):
            return pb.GetValueSetResponse(value_set=write_value_set(self._sets.version(request.set_id, version)))

    def list_value_sets(self, request: pb.ListValueSetsRequest, _context: Call) -> pb.ListValueSetsResponse:
        """Return a page of latest versions."""
        page = read_page("value_sets", request.page_size, request.page_token, "")
        found, more = page.cut(self._sets.latest(page.after, page.size + 1))
        return pb.ListValueSetsResponse(
            value_sets=[write_value_set(each) for each in found],
            next_page_token=page.next_token(found[-1].version.resource_id) if more else "",
        )

    def list_value_set_versions(self, request: pb.ListValueSetVersionsRequest, _context: Call) -> pb.ListValueSetVersionsResponse:
        """Return a page of versions of a set, newest first."""
        with told_as(_NAMED):
            self._sets.version(request.set_id)  # a set that does not exist is no empty list
        page = read_page(f"value_sets/{request.set_id}", request.page_size, request.page_token, 0)
        found, more = page.cut(self._sets.versions(request.set_id, page.after or None, page.size + 1))
        return pb.ListValueSetVersionsResponse(
            value_sets=[write_value_set(each) for each in found],
            next_page_token=page.next_token(found[-1].version.version) if more else "",
        )

    def get_values_in_force(self, request: pb.GetValuesInForceRequest, _context: Call) -> pb.GetValuesInForceResponse:
        """Return what a call that values a portfolio would take."""
        if request.portfolio_id:
            check_id("portfolio_id", request.portfolio_id)
        wrong = tuple(list_violations("products", list(request.products)))
        if wrong:
            raise CollectionsError(Reason.INVALID_ARGUMENT, str(wrong[0]), wrong)
        day = read_date(request.as_of_date, "as_of_date")
        product = np.array([name.encode() for name in request.products], dtype=np.bytes_)
        with told_as(_ASKED):
            found = self._values.choose(request.portfolio_id, product, day)
        return pb.GetValuesInForceResponse(
            value_parameters=write_parameters(found.parameters), choices=write_choices(found.choices)
        )

    def _save(
        self, request: pb.CreateValueSetRequest | pb.UpdateValueSetRequest, etag: str | None, actor: Actor
    ) -> value_set_pb2.ValueSet:
        with told_as(_SAVED, {"stay_value": "stay_values"}):
            new = read_value_set(request.value_set, etag, request.note, read_uuid4(request.request_id))
            return write_value_set(self._sets.save(new, actor, request.validate_only))
