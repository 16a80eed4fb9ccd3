"""A message as plain values for JSON, under the contract's names."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

_WIDE = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)


def plain(message: Message) -> dict[str, Any]:
    """Return a message as a mapping; numbers stay numbers (JSON of protobuf makes texts of wide ones),
    enums are names, maps are sorted: equal messages give equal text."""
    content: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return _numbers(message, content)


def _numbers(message: Message, content: dict[str, Any]) -> dict[str, Any]:
    for name, value in content.items():
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:  # a message with a form of its own, such as Any
            continue
        if field.cpp_type in _WIDE:
            content[name] = [int(one) for one in value] if field.is_repeated else int(value)
        elif _is_map(field):
            content[name] = dict(sorted(value.items()))
        elif field.message_type and isinstance(value, dict):
            content[name] = _numbers(getattr(message, name), value)
        elif field.message_type and isinstance(value, list):
            pairs = zip(getattr(message, name), value, strict=True)
            content[name] = [_numbers(one, held) if isinstance(held, dict) else held for one, held in pairs]
    return content


def _is_map(field: Any) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
