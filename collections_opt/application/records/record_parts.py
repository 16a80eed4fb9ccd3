"""Parts of a record as typed values and back again, byte for byte: dataclasses whose fields say how they are written.

A field is written under its name, or under ``key``. ``flat`` fields are parts whose keys stand among those of the part around
them. Fields marked ``OMITTED_AT_DEFAULT`` are written where they say something. A key that a record lacks though its field is
always written, as in records of earlier versions, is kept in ``unsaid``; a key that no field knows, in ``unknown``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from collections_opt.core.errors import Reason, refuse

_FLAT, _KEY, _FILE, _EMPTY, _OMITTED = "flat", "key", "file", "empty_if_none", "omitted_at_default"
_NOT_WRITTEN = ("unsaid", "unknown")
EMPTY_IF_NONE = {_EMPTY: True}
"""Metadata of a field whose None is written as an empty object."""


@dataclass(frozen=True)
class RecordPart:
    """A part of a record.

    Attributes:
        unsaid: names of its fields whose keys the record lacks, though they are always written now.
        unknown: what the record holds beside them; only of the part that is read as a whole.
    """

    unsaid: frozenset[str] = field(default=frozenset(), kw_only=True, repr=False)
    unknown: Mapping[str, Any] = field(default_factory=dict, kw_only=True, repr=False)


PartT = TypeVar("PartT", bound=RecordPart)


def flat(prefix: str = "", file: str = "") -> dict[str, str]:
    """Return metadata of a part whose keys, after a prefix, stand among those around it; at its default where all are lacking.

    Archives show the object that it names as ``file``, if they do.
    """
    return {_FLAT: prefix, _FILE: file}


def named(key: str) -> dict[str, str]:
    """Return metadata of a field that is written under another key than its name."""
    return {_KEY: key}


def stored(key: str, file: str = "") -> dict[str, str]:
    """Return metadata of a field that holds the digest of an object, "" for none; archives show it as ``file``, if they do."""
    return {_KEY: key, _FILE: file}


@dataclass(frozen=True)
class StoredObject:
    """An object that a record names: under which key, by which digest, and the file that archives show it as, "" for none."""

    key: str
    digest: str
    file: str


def read_part(kind: type[PartT], held: Mapping[str, Any]) -> PartT:
    """Return a part of its plain form.

    Raises:
        CollectionsError: INTEGRITY_FAILURE for a record that lacks what every version wrote.
    """
    known = _keys(kind, "")
    part = _read(kind, held, "")
    unknown = {key: value for key, value in held.items() if key not in known}
    object.__setattr__(part, "unknown", unknown)  # before anybody else has seen it
    return part


def write_part(part: RecordPart) -> dict[str, Any]:
    """Return the plain form of a part: what it was read from, byte for byte as canonical JSON."""
    return {**_write(part, ""), **part.unknown}


def stored_objects(
    kind: type[RecordPart], held: Any, outer: str = "", prefix: str = "", file: str = ""
) -> Iterator[StoredObject]:
    """Yield every object that the plain form of a part names, whatever else it lacks: damaged records say what they need.

    Args:
        kind: of the part.
        held: its plain form; nothing is named where it is none.
        outer: keys of the parts around it, each with a dot.
        prefix: of its keys, where they stand among those of the part around it.
        file: shows what names no file of its own.
    """
    for slot in _slots(kind) if isinstance(held, Mapping) else ():
        if slot.prefix is not None and slot.part is not None:
            yield from stored_objects(slot.part, held, outer, prefix + slot.prefix, slot.file or "")
            continue
        key = prefix + slot.key
        value = held.get(key)
        if slot.file is not None:
            yield from [StoredObject(outer + key, value, slot.file or file)] if isinstance(value, str) and value else []
        elif slot.part is not None:
            for one in value if isinstance(value, (list, tuple)) else (value,):
                yield from stored_objects(slot.part, one, f"{outer}{key}.")


@dataclass(frozen=True)
class _Slot:
    """How one field is read and written; ``prefix`` is None unless its keys stand among those of the part around it.

    ``part`` is the kind of part that it holds, or holds several of.
    """

    name: str
    key: str
    default: Any
    omitted: bool
    prefix: str | None
    part: type[RecordPart] | None
    file: str | None
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def _slots_of(kind: Any) -> tuple[_Slot, ...]:
    hints, made = get_type_hints(kind), []
    for one in fields(kind):
        if one.name in _NOT_WRITTEN and issubclass(kind, RecordPart):
            continue
        default = one.default if one.default_factory is MISSING else one.default_factory()
        hint, told = hints[one.name], one.metadata
        read, write = _reader(hint), _writer
        if told.get(_EMPTY):
            read, write = _or_none(read), _or_empty
        part = _part_of(hint)
        keyed = (one.name, told.get(_KEY, one.name), default, bool(told.get(_OMITTED)))
        made.append(_Slot(*keyed, told.get(_FLAT), part, told.get(_FILE), read, write))
    return tuple(made)


def _keys_of(kind: Any, prefix: str) -> frozenset[str]:
    """Return every key that a kind of part may be written with."""
    found: set[str] = set()
    for slot in _slots(kind):
        inner = _flat_part(slot)
        found |= {prefix + slot.key} if inner is None else _keys(inner, prefix + str(slot.prefix))
    return frozenset(found)


_slots: Callable[[Any], tuple[_Slot, ...]] = cache(_slots_of)
_keys: Callable[[Any, str], frozenset[str]] = cache(_keys_of)


def _read(kind: type[PartT], held: Mapping[str, Any], prefix: str) -> PartT:
    values: dict[str, Any] = {}
    unsaid = set()
    for slot in _slots(kind):
        part = _flat_part(slot)
        if part is not None:
            inner = prefix + str(slot.prefix)
            lacking = slot.default is not MISSING and _keys(part, inner).isdisjoint(held)
            values[slot.name] = slot.default if lacking else _read(part, held, inner)
        elif prefix + slot.key in held:
            values[slot.name] = slot.read(held[prefix + slot.key])
        elif slot.default is MISSING:
            raise refuse(Reason.INTEGRITY_FAILURE, "record", f"lacks {prefix + slot.key}.", "Verify the log and restore it.")
        elif not slot.omitted:
            unsaid.add(slot.name)
    return kind(**values, unsaid=frozenset(unsaid))


def _write(part: Any, prefix: str) -> dict[str, Any]:
    written: dict[str, Any] = {}
    unsaid = part.unsaid if isinstance(part, RecordPart) else ()
    for slot in _slots(type(part)):
        value = getattr(part, slot.name)
        if _flat_part(slot) is not None:
            left_out = value is None or (slot.omitted and value == slot.default)
            written |= {} if left_out else _write(value, prefix + str(slot.prefix))
        elif slot.name not in unsaid and not (slot.omitted and value == slot.default):
            written[prefix + slot.key] = slot.write(value)
    return written


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return what makes a value of its plain form."""
    origin, given = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(each for each in given if each is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _reader(given[0])
        return lambda value: tuple(item(each) for each in value)
    if origin is not None and issubclass(origin, Mapping):
        item = _reader(given[1])
        return lambda value: {key: item(each) for key, each in value.items()}
    return _reader_of_class(hint) if isinstance(hint, type) else _as_it_is


def _reader_of_class(hint: type) -> Callable[[Any], Any]:
    if issubclass(hint, RecordPart):
        return lambda value: read_part(hint, value)
    if is_dataclass(hint):
        return lambda value: hint(**{slot.name: slot.read(value[slot.key]) for slot in _slots(hint)})
    if issubclass(hint, Enum):
        return hint
    return hint.fromisoformat if issubclass(hint, (date, datetime)) else _as_it_is


def _writer(value: Any) -> Any:
    """Return the plain form of a value."""
    if isinstance(value, RecordPart):
        return write_part(value)
    if is_dataclass(value):
        return _write(value, "")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _writer(each) for key, each in value.items()}
    return [_writer(each) for each in value] if isinstance(value, (tuple, list)) else value


def _as_it_is(value: Any) -> Any:
    return value


def _or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: read(value) if value else None


def _or_empty(value: Any) -> Any:
    return {} if value is None else _writer(value)


def _part_of(hint: Any) -> type[RecordPart] | None:
    found = next((each for each in get_args(hint) if each is not type(None)), hint)
    return found if isinstance(found, type) and issubclass(found, RecordPart) else None


def _flat_part(slot: _Slot) -> type[RecordPart] | None:
    """Return the kind of part whose keys stand among those of the part around it, None for all other fields."""
    return slot.part if slot.prefix is not None else None
