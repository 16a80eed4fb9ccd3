"""ParametersService: value parameters that people save and approve, and what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from collections_opt.api.v1 import parameters_service_pb2 as pb
from collections_opt.api.v1 import value_set_pb2
from collections_opt.application.resources.value_sets import ValueSets
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.names import check_id, list_violations
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_acting
from collections_opt.service.converters.approved.value_sets import read_value_set, write_choices, write_value_set
from collections_opt.service.servicers.approved.shelf import Shelf, read_approval, read_etag
from collections_opt.wire import parameters
from collections_opt.wire.common import read_date, read_uuid, told_as
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

_ASKED: Mapping[str, str] = MappingProxyType({"value_parameters.products": "products"})


class ParametersServicer:
    """Saves, approves and shows sets of value parameters."""

    def __init__(self, values: ValueSets) -> None:
        self._values = values
        self._sets = values.resources
        self._shelf = Shelf(values.resources, "value_sets", "set_id", value_set_pb2.ValueSet.DESCRIPTOR, write_value_set)

    def create_value_set(self, request: pb.CreateValueSetRequest, context: Call) -> pb.CreateValueSetResponse:
        """Save a first version."""
        actor = read_acting(request.actor, context)
        return pb.CreateValueSetResponse(value_set=self._save(request, None, actor))

    def update_value_set(self, request: pb.UpdateValueSetRequest, context: Call) -> pb.UpdateValueSetResponse:
        """Save the next version."""
        actor = read_acting(request.actor, context)
        return pb.UpdateValueSetResponse(value_set=self._save(request, read_etag(request.etag), actor))

    def approve_value_set(self, request: pb.ApproveValueSetRequest, context: Call) -> pb.ApproveValueSetResponse:
        """Let a version come into force."""
        command = read_approval(request, request.set_id)
        with told_as(self._shelf.told):
            approved = self._sets.approve(command, read_acting(request.actor, context), request.validate_only)
        return pb.ApproveValueSetResponse(value_set=write_value_set(approved))

    def get_value_set(self, request: pb.GetValueSetRequest, _context: Call) -> pb.GetValueSetResponse:
        """Return a version or the latest."""
        return pb.GetValueSetResponse(value_set=self._shelf.version(request.set_id, request.version))

    def list_value_sets(self, request: pb.ListValueSetsRequest, _context: Call) -> pb.ListValueSetsResponse:
        """Return a page of latest versions."""
        found, token = self._shelf.latest(request)
        return pb.ListValueSetsResponse(value_sets=found, next_page_token=token)

    def list_value_set_versions(self, request: pb.ListValueSetVersionsRequest, _context: Call) -> pb.ListValueSetVersionsResponse:
        """Return a page of versions of a set, newest first."""
        found, token = self._shelf.versions(request, request.set_id)
        return pb.ListValueSetVersionsResponse(value_sets=found, next_page_token=token)

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
            new = read_value_set(request.value_set, etag, request.note, read_uuid(request.request_id))
            return write_value_set(self._sets.save(new, actor, request.validate_only))
