"""Sets of value parameters, and which version gives a product its values, as messages."""

from __future__ import annotations

from collections.abc import Iterable

from collections_opt.api.v1 import model_use_pb2
from collections_opt.api.v1 import value_set_pb2 as pb
from collections_opt.application.resources.approved import SavedContent, Stored
from collections_opt.application.resources.value_sets import ValueChoice, ValueSet
from collections_opt.service.converters.approved.resources import write_state
from collections_opt.wire.common import read_date, write_date, write_enum
from collections_opt.wire.parameters import read_parameters, write_parameters


def read_value_set(message: pb.ValueSet, etag: str | None, note: str, request_id: str) -> SavedContent[ValueSet]:
    """Return what somebody saves; what a caller sets in OUTPUT_ONLY fields is ignored.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing date or enum, told in the set's own paths.
    """
    return SavedContent(
        resource_id=message.set_id,
        effective_from=read_date(message.effective_from, "effective_from"),
        content=ValueSet(read_parameters(message.value_parameters), tuple(message.portfolio_patterns)),
        etag=etag,
        note=note,
        request_id=request_id,
    )


def write_value_set(stored: Stored[ValueSet]) -> pb.ValueSet:
    """Return a version with its standing."""
    return pb.ValueSet(
        set_id=stored.version.resource_id,
        effective_from=write_date(stored.version.effective_from),
        value_parameters=write_parameters(stored.content.parameters),
        portfolio_patterns=stored.content.portfolios,
        state=write_state(stored.version),
    )


def write_choices(choices: Iterable[ValueChoice]) -> list[pb.ValueChoice]:
    """Return which version gives each product its values."""
    return [write_choice(choice) for choice in choices]


def write_choice(choice: ValueChoice) -> pb.ValueChoice:
    """Return which version gives a product its values."""
    return pb.ValueChoice(
        product=choice.product,
        set_id=choice.resource_id,
        version=choice.version,
        digest=choice.digest,
        approval_mode=write_enum(model_use_pb2.ApprovalMode.DESCRIPTOR, choice.mode.value),
    )
