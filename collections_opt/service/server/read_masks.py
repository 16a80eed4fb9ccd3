"""Answers cut to the fields that their caller asks for (AIP-157): ``read_mask`` names fields of what a method returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason

MASK = "read_mask"
MAX_PATHS = 100
"""Paths of one mask: more than the fields of any resource that somebody needs few of."""

Wanted = dict[str, Any]
"""Fields by name with what is wanted of each; empty for all of it."""


def read_mask(request: type[Message], response: type[Message]) -> Callable[[Message], Callable[[Message], None]] | None:
    """Return what reads the mask of a request and returns what cuts answers to it; None for a method that has no mask.

    What is returned raises INVALID_ARGUMENT naming every path that is no field of the resource.
    """
    if MASK not in request.DESCRIPTOR.fields_by_name:
        return None
    resource = resource_of(response.DESCRIPTOR)

    def cutting(message: Message) -> Callable[[Message], None]:
        paths = list(getattr(message, MASK).paths)
        if not paths:
            return lambda _answer: None
        wanted = _wanted(resource.message_type, paths)

        def cut(answer: Message) -> None:
            value = getattr(answer, resource.name)
            for each in value if resource.is_repeated else (value,):
                _cut(each, wanted)

        return cut

    return cutting


def resource_of(response: Any) -> FieldDescriptor:
    """Return the field of an answer that holds what it is about: its first message."""
    found: FieldDescriptor = next(field for field in response.fields if field.message_type is not None)
    return found


def _wanted(resource: Any, paths: Iterable[str]) -> Wanted:
    wanted: Wanted = {}
    wrong = []
    for index, path in enumerate(paths):
        if index >= MAX_PATHS or not _add(wanted, resource, path):
            told = f"{path[:80]!r} is no field of {resource.name}." if index < MAX_PATHS else "is one too many."
            remedy = f"Name some of {', '.join(resource.fields_by_name)}." if index < MAX_PATHS else f"Send {MAX_PATHS}."
            wrong.append(FieldViolation(f"{MASK}.paths[{index}]", told, remedy))
    if wrong:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(wrong)} path(s) name no field.", tuple(wrong))
    return {} if any(path == "*" for path in paths) else wanted


def _add(wanted: Wanted, message: Any, path: str) -> bool:
    if path == "*":
        return True
    within = wanted
    names = path.split(".")
    for place, name in enumerate(names):
        field = message.fields_by_name.get(name) if message is not None else None
        if field is None:
            return False
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        message = None if is_map else field.message_type
        if name in within and not within[name]:
            return _exists(message, names[place + 1 :])  # all of it is wanted already
        within = within.setdefault(name, {})
    within.clear()
    return True


def _exists(message: Any, names: list[str]) -> bool:
    return not names or (message is not None and names[0] in message.fields_by_name and _add({}, message, ".".join(names)))


def _cut(message: Message, wanted: Wanted) -> None:
    if not wanted:
        return
    for field, value in message.ListFields():
        if field.name not in wanted:
            message.ClearField(field.name)
        elif wanted[field.name]:
            for each in value if field.is_repeated else (value,):
                _cut(each, wanted[field.name])
