"""What is wrong with the shape of a request, all of it at once: missing fields, values that are none, ids that are no UUIDs.

What lies in lists (accounts, queues, events) comes in numbers, and is the core's to check; what needs a look at what is stored is
found after this.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.message import Message
from google.type.date_pb2 import Date

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.wire.common import is_uuid, values_of

_BEHAVIOUR = field_behavior_pb2.field_behavior
_DATE = Date.DESCRIPTOR.full_name


def refuse_misshapen(message: Message) -> None:
    """Refuse a request whose shape is wrong, naming every fault; a single one is left to what reads the field, which says more.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    found = tuple(_faults(message, ""))
    if len(found) > 1:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(found)} fields are at fault.", found)


def _faults(message: Message, prefix: str) -> Iterator[FieldViolation]:
    for field in message.DESCRIPTOR.fields:
        behaviours = field.GetOptions().Extensions[_BEHAVIOUR]
        if field_behavior_pb2.OUTPUT_ONLY in behaviours or field.is_repeated:
            continue
        path = prefix + field.name
        required = field_behavior_pb2.REQUIRED in behaviours and field.containing_oneof is None
        if field.message_type is None:
            yield from _of_value(field, getattr(message, field.name), path, required)
        elif message.HasField(field.name):
            inner = getattr(message, field.name)
            yield from _of_date(inner, path) if field.message_type.full_name == _DATE else _faults(inner, f"{path}.")
        elif required:
            yield _missing(path)


def _of_value(field: Any, value: Any, path: str, required: bool) -> Iterator[FieldViolation]:
    if field.enum_type is not None:
        if (value and value not in field.enum_type.values_by_number) or (required and not value):
            yield FieldViolation(path, f"{value} is not a value.", f"Send one of {values_of(field.enum_type)}.")
    elif field.type == field.TYPE_STRING:
        if required and not value:
            yield _missing(path)
        elif value and field.name == "request_id" and not is_uuid(value):
            yield FieldViolation(path, f"{value[:40]!r} is not a UUID.", "Send a new one.")
    elif field.name == "page_size" and value < 0:
        yield FieldViolation(path, f"{value} is negative.", "Send 0 or more.")


def _of_date(message: Any, path: str) -> Iterator[FieldViolation]:
    try:
        date(message.year, message.month, message.day)
    except ValueError:
        shown = f"{message.year}-{message.month}-{message.day}"
        yield FieldViolation(path, f"{shown} is no date.", "Send year, month and day.")


def _missing(path: str) -> FieldViolation:
    return FieldViolation(path, "is missing.", "Send it.")
