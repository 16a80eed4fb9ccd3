"""Every way to break one field of a good message, generated from its descriptor, so that a new field brings its own cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message import Message

ODD_TEXTS = {"NUL": "a\0b", "10,000 characters": "x" * 10_000, "a path": "../../etc/passwd"}
ODD_REALS = {"NaN": float("nan"), "infinity": float("inf"), "-infinity": float("-inf"), "-1": -1.0, "1e308": 1e308}
INT_BITS = {F.CPPTYPE_INT32: 31, F.CPPTYPE_INT64: 63}


@dataclass(frozen=True)
class Breakage:
    """One field broken: its path in the request, how, and the broken message."""

    path: str
    how: str
    message: Message

    @property
    def name(self) -> str:
        """Path and kind in one."""
        return f"{self.path}: {self.how}"

    def holds(self, field: str) -> bool:
        """Return whether a field is the broken one or lies in it."""
        return field == self.path or field.startswith((f"{self.path}.", f"{self.path}["))


def behaviours(field) -> set[int]:
    return set(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def is_required(field) -> bool:
    return field_behavior_pb2.REQUIRED in behaviours(field)


def is_output(field) -> bool:
    return field_behavior_pb2.OUTPUT_ONLY in behaviours(field)


def breakages(good: Message) -> Iterator[Breakage]:
    """Yield the message with every field, at every depth, broken in every way its kind knows."""

    def rebuild(path: str, how: str, change: Callable[[Message], None], steps: tuple) -> Breakage:
        broken = type(good)()
        broken.CopyFrom(good)
        change(_at(broken, steps))
        return Breakage(path, how, broken)

    def walk(message: Message, prefix: str, steps: tuple) -> Iterator[Breakage]:
        for field in message.DESCRIPTOR.fields:
            if is_output(field):
                continue
            path = prefix + field.name
            for how, change in _changes(field, message):
                yield rebuild(path, how, change, steps)
            for inner, told, step in _below(field, message, path):
                yield from walk(inner, f"{told}.", (*steps, step))

    yield from walk(good, "", ())


def fields_of(descriptor, prefix: str = "") -> Iterator[str]:
    """Yield the path of every field a caller can set, with [] for elements."""
    for field in descriptor.fields:
        if is_output(field):
            continue
        path = prefix + field.name
        yield path
        if field.message_type and not _is_map(field):
            yield from fields_of(field.message_type, f"{path}[]." if field.is_repeated else f"{path}.")


def reached(message: Message, prefix: str = "") -> Iterator[str]:
    """Yield the paths of ``fields_of`` whose enclosing messages a good message holds, so that they are broken."""
    for field in message.DESCRIPTOR.fields:
        if is_output(field):
            continue
        path = prefix + field.name
        yield path
        for inner, _, _ in _below(field, message, path):
            yield from reached(inner, f"{path}[]." if field.is_repeated else f"{path}.")


def _is_map(field) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def _below(field, message: Message, path: str):
    """Return the messages inside a field, each with its path and how to find it again."""
    if not field.message_type or _is_map(field):
        return
    if field.is_repeated:
        for index, inner in enumerate(getattr(message, field.name)):
            yield inner, f"{path}[{index}]", (field.name, index)
    elif message.HasField(field.name):
        yield getattr(message, field.name), path, (field.name, None)


def _at(message: Message, steps: tuple) -> Message:
    for name, index in steps:
        message = getattr(message, name) if index is None else getattr(message, name)[index]
    return message


def _changes(field, message: Message) -> Iterator[tuple[str, Callable[[Message], None]]]:
    name = field.name
    if is_required(field):
        yield "missing", lambda m: m.ClearField(name)
    if _is_map(field):
        yield from _map_changes(field)
    elif field.is_repeated:
        yield from _list_changes(field, message)
    elif not field.message_type:
        for how, value in _odd_values(field):
            yield how, lambda m, value=value: setattr(m, name, value)


def _odd_values(field) -> Iterator[tuple[str, object]]:
    if field.cpp_type == F.CPPTYPE_ENUM:
        yield from ({"unspecified": 0} if is_required(field) else {}).items()
        yield "unknown number", 999
    elif field.cpp_type in INT_BITS:
        limit = 2 ** INT_BITS[field.cpp_type]
        yield from {"-1": -1, "smallest": -limit, "largest": limit - 1}.items()
    elif field.cpp_type == F.CPPTYPE_DOUBLE:
        yield from ODD_REALS.items()
    elif field.type == F.TYPE_BYTES:
        yield "odd bytes", b"\xff\x00\xff"
    elif field.cpp_type == F.CPPTYPE_STRING:
        yield from ODD_TEXTS.items()
        if field.name.endswith(("_id", "_ids")):
            yield "unknown", "absent-1"
        if field.name == "currency_code":
            yield from {"another currency": "USD", "no currency": "usd"}.items()


def _list_changes(field, message: Message) -> Iterator[tuple[str, Callable[[Message], None]]]:
    name = field.name

    def append(value):
        def change(m: Message) -> None:
            items = getattr(m, name)
            items.add().CopyFrom(value) if field.message_type else items.append(value)

        return change

    if len(getattr(message, name)):
        first = getattr(message, name)[0]
        yield "its first element again", append(first)
        yield "1,001 more of its first element", lambda m: getattr(m, name).extend([first] * 1_001)
    if not field.message_type:
        for how, value in _odd_values(field):
            yield f"with {how}", append(value)


def _map_changes(field) -> Iterator[tuple[str, Callable[[Message], None]]]:
    name, value = field.name, field.message_type.fields_by_name["value"]
    if value.message_type:  # an element is made by asking for it
        yield "with an empty element", lambda m: getattr(m, name)["ODD"].Clear()
        for how, key in ODD_TEXTS.items():
            yield f"with key {how}", lambda m, key=key: getattr(m, name)[key].Clear()
        return
    for how, odd in _odd_values(value):
        yield f"with {how}", lambda m, odd=odd: getattr(m, name).__setitem__("ODD", odd)
    good = "x" if value.cpp_type == F.CPPTYPE_STRING else 0
    for how, key in ODD_TEXTS.items():
        yield f"with key {how}", lambda m, key=key: getattr(m, name).__setitem__(key, good)
