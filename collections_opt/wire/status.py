"""The one error map: refusals as google.rpc.Status with exactly one ErrorInfo; anything else as INTERNAL with an incident id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.shown_text import visible

DOMAIN = "collections-opt"
"""Domain of every ErrorInfo."""

DETAILS_KEY = "grpc-status-details-bin"
PUSHBACK_KEY = "grpc-retry-pushback-ms"

RETRY_DELAY_MS = 250
"""How long a caller refused for load should wait: a few service times of a scoring call."""

MAX_VIOLATION_BYTES = 4_096
"""Details travel in trailing metadata, which clients cap at 8 KiB for all of it."""

MAX_MESSAGE_CHARACTERS = 500
"""The message travels in the trailers beside the details, percent-encoded."""

MAX_TEXT_CHARACTERS = 300
"""Of one field at fault: a description that quotes a whole value must not push the fault out of the details."""

_REMEDY = " Remedy: "
_INDEX_OR_ID = re.compile(r"(_ids?)?(\[\d+\])?$")

_C = grpc.StatusCode
CODES: Mapping[Reason, grpc.StatusCode] = MappingProxyType(
    {
        Reason.INVALID_ARGUMENT: _C.INVALID_ARGUMENT,
        Reason.MALFORMED_MESSAGE: _C.INVALID_ARGUMENT,
        Reason.SCHEMA_MISMATCH: _C.INVALID_ARGUMENT,
        Reason.MIXED_CURRENCIES: _C.INVALID_ARGUMENT,
        Reason.LIMIT_EXCEEDED: _C.INVALID_ARGUMENT,
        Reason.NOT_FOUND: _C.NOT_FOUND,
        Reason.ALREADY_EXISTS: _C.ALREADY_EXISTS,
        Reason.REQUEST_ID_REUSED: _C.ALREADY_EXISTS,
        Reason.ETAG_MISMATCH: _C.ABORTED,
        Reason.PAGE_TOKEN_INVALID: _C.INVALID_ARGUMENT,
        Reason.CAPACITY_PLAN_NOT_EFFECTIVE: _C.FAILED_PRECONDITION,
        Reason.CURRENCY_MISMATCH: _C.FAILED_PRECONDITION,
        Reason.MODEL_UNAVAILABLE: _C.FAILED_PRECONDITION,
        Reason.RANKING_NOT_COMPLETE: _C.FAILED_PRECONDITION,
        Reason.RANKING_FAILED: _C.FAILED_PRECONDITION,
        Reason.VALUE_OVERFLOW: _C.INVALID_ARGUMENT,
        Reason.INTEGRITY_FAILURE: _C.DATA_LOSS,
        Reason.MUST_BE_KEPT: _C.FAILED_PRECONDITION,
        Reason.DEADLINE_REQUIRED: _C.INVALID_ARGUMENT,
        Reason.OVERLOADED: _C.RESOURCE_EXHAUSTED,
        Reason.OUTCOME_UNKNOWN: _C.UNAVAILABLE,
        Reason.INTERNAL: _C.INTERNAL,
        Reason.RANKING_ABANDONED: _C.FAILED_PRECONDITION,
        Reason.STORAGE_UNAVAILABLE: _C.UNAVAILABLE,
        Reason.MODEL_STATE_CONFLICT: _C.FAILED_PRECONDITION,
        Reason.PERMISSION_DENIED: _C.PERMISSION_DENIED,
        Reason.UNAUTHENTICATED: _C.UNAUTHENTICATED,
        Reason.SCORES_SUSPECT: _C.FAILED_PRECONDITION,
        Reason.RESOURCE_STATE_CONFLICT: _C.FAILED_PRECONDITION,
        Reason.VALUES_MISSING: _C.FAILED_PRECONDITION,
        Reason.VALUES_OUT_OF_ORDER: _C.FAILED_PRECONDITION,
        Reason.RANKING_NOT_IN_FORCE: _C.FAILED_PRECONDITION,
        Reason.RANKING_NOT_MATURE: _C.FAILED_PRECONDITION,
        Reason.LEASE_LOST: _C.FAILED_PRECONDITION,
        Reason.STORE_MISMATCH: _C.FAILED_PRECONDITION,
        Reason.LEDGER_HALTED: _C.FAILED_PRECONDITION,
        Reason.KEYS_MISMATCH: _C.FAILED_PRECONDITION,
    }
)
"""Status code of every reason."""

_RETRYABLE = frozenset({Reason.OVERLOADED, Reason.OUTCOME_UNKNOWN, Reason.STORAGE_UNAVAILABLE})


@dataclass(frozen=True)
class CallStatus(grpc.Status):
    """What ``ServicerContext.abort_with_status`` sends."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...] = field(default=())


def to_status(error: CollectionsError) -> Status:
    """Return a refusal as google.rpc.Status: one ErrorInfo, BadRequest with the field paths, ResourceInfo for what was not
    found, RetryInfo when busy.

    Violations beyond ``MAX_VIOLATION_BYTES`` are left out and counted in the message. What a refusal quotes was chosen by a
    caller, and is shown: characters that would act on a terminal or turn a text around are their escapes.
    """
    shown = _fitting(error.violations)
    left_out = len(error.violations) - len(shown)
    message = visible(error.message[:MAX_MESSAGE_CHARACTERS])[:MAX_MESSAGE_CHARACTERS]
    if left_out:
        message += f" {left_out} more field(s) at fault are not listed."
    info = error_details_pb2.ErrorInfo(reason=error.reason.value, domain=DOMAIN)
    details: list[Message] = [info]
    if shown:
        details.append(error_details_pb2.BadRequest(field_violations=shown))
    if error.resource and error.violations:
        kind = _INDEX_OR_ID.sub("", error.violations[0].field.rpartition(".")[2])
        name = _shortened(error.resource)
        details.append(error_details_pb2.ResourceInfo(resource_type=f"{DOMAIN}/{kind}", resource_name=name))
    if error.reason in _RETRYABLE:
        details.append(error_details_pb2.RetryInfo(retry_delay=Duration(nanos=RETRY_DELAY_MS * 1_000_000)))
    return Status(code=CODES[error.reason].value[0], message=message, details=[_packed(detail) for detail in details])


def to_call_status(error: CollectionsError) -> CallStatus:
    """Return a refusal as what the server sends: code, message, and the status in the trailing metadata."""
    if error.reason is Reason.OVERLOADED and not (error.violations or error.resource):
        return _busy(error.message)
    return _made(error)


@lru_cache(maxsize=64)
def _busy(message: str) -> CallStatus:
    """Return a refusal for load, of which there are few and which come when time is short."""
    return _made(CollectionsError(Reason.OVERLOADED, message))


def _made(error: CollectionsError) -> CallStatus:
    status = to_status(error)
    metadata: list[tuple[str, str | bytes]] = [(DETAILS_KEY, status.SerializeToString())]
    if error.reason in _RETRYABLE:
        metadata.append((PUSHBACK_KEY, str(RETRY_DELAY_MS)))
    return CallStatus(CODES[error.reason], status.message, tuple(metadata))


def from_status(status: Status) -> CollectionsError:
    """Return a received google.rpc.Status as the refusal it was made from.

    A reason this version does not know, or a status without one, becomes INTERNAL with the status's own words.
    """
    info, request, resource = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.ResourceInfo()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(request)
        detail.Unpack(resource)
    known = info.domain == DOMAIN and info.reason in Reason.__members__
    violations = tuple(_read_violation(violation) for violation in request.field_violations)
    return CollectionsError(Reason(info.reason) if known else Reason.INTERNAL, status.message, violations, resource.resource_name)


def internal(incident_id: str) -> CollectionsError:
    """Return what a caller learns of an unexpected failure: its incident id and nothing else."""
    return CollectionsError(Reason.INTERNAL, f"Unexpected failure, incident {incident_id}; the server's log has the details.")


def _read_violation(message: error_details_pb2.BadRequest.FieldViolation) -> FieldViolation:
    description, _, remedy = message.description.partition(_REMEDY)
    return FieldViolation(message.field, description, remedy)


def _packed(detail: Message) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed


def _fitting(violations: tuple[FieldViolation, ...]) -> list[error_details_pb2.BadRequest.FieldViolation]:
    shown, size = [], 0
    for violation in violations:
        text = _shortened(violation.description)
        text += _REMEDY + _shortened(violation.remedy) if violation.remedy else ""
        message = error_details_pb2.BadRequest.FieldViolation(field=_shortened(violation.field), description=text)
        size += message.ByteSize() + 4
        if size > MAX_VIOLATION_BYTES:
            break
        shown.append(message)
    return shown


def _shortened(text: str) -> str:
    shown = visible(text[:MAX_TEXT_CHARACTERS])
    return shown if len(text) <= MAX_TEXT_CHARACTERS >= len(shown) else shown[: MAX_TEXT_CHARACTERS - 3] + "..."
