"""Dates, times, enums, and errors told in the caller's field names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from collections_opt.core.accounts.column_names import told_money
from collections_opt.core.errors import CollectionsError, Reason, refuse

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def read_date(message: Date, path: str) -> date:
    """Return a full date.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing or impossible one.
    """
    try:
        return date(message.year, message.month, message.day)
    except ValueError as error:
        shown = f"{message.year}-{message.month}-{message.day}"
        raise refuse(Reason.INVALID_ARGUMENT, path, f"{shown} is no date.", "Send year, month and day.") from error


def write_date(value: date | str) -> Date:
    """Return a date, or its ISO 8601 text, as a message."""
    day = date.fromisoformat(value) if isinstance(value, str) else value
    return Date(year=day.year, month=day.month, day=day.day)


def write_time(iso: str) -> Timestamp:
    """Return an ISO 8601 time with zone as a message."""
    result = Timestamp()
    result.FromDatetime(datetime.fromisoformat(iso).astimezone(UTC))
    return result


def read_enum(kind: EnumDescriptor, value: int, path: str) -> str:
    """Return the name of an enum value without its prefix: ORDERING_BALANCE -> BALANCE.

    Raises:
        CollectionsError: INVALID_ARGUMENT for 0 and for numbers this version does not know.
    """
    prefix = _prefix(kind)
    found = kind.values_by_number.get(value)
    if value == 0 or found is None:
        raise refuse(Reason.INVALID_ARGUMENT, path, f"{value} is not a value.", f"Send one of {values_of(kind)}.")
    return str(found.name).removeprefix(prefix)


def values_of(kind: EnumDescriptor) -> str:
    """Return the values that may be sent, by the names that the wire's JSON and generated code know, joined by commas."""
    return ", ".join(value.name for value in kind.values if value.number)


def enum_names(kind: EnumDescriptor) -> dict[int, str]:
    """Return the names of an enum's values without its prefix by their number; without the unspecified one."""
    return {value.number: str(value.name).removeprefix(_prefix(kind)) for value in kind.values if value.number}


def enum_text(kind: EnumDescriptor, value: int) -> str:
    """Return the name of an enum value without its prefix; "" for the unspecified one, the number for one of a later version."""
    return enum_names(kind).get(value, str(value) if value else "")


def write_enum(kind: EnumDescriptor, name: str) -> Any:
    """Return the enum value of a name without prefix.

    Raises:
        KeyError: for a name the contract does not know.
    """
    return kind.values_by_name[_prefix(kind) + name].number


def read_choice(kind: EnumDescriptor, text: str, path: str) -> Any:
    """Return the enum value a person named, in any case: pricing -> SOLVER_PRICING.

    Raises:
        CollectionsError: INVALID_ARGUMENT listing the names there are.
    """
    prefix = _prefix(kind)
    found = kind.values_by_name.get(prefix + text.upper())
    if found is None or found.number == 0:
        allowed = ", ".join(v.name.removeprefix(prefix).lower() for v in kind.values if v.number)
        raise refuse(Reason.INVALID_ARGUMENT, path, f"{text!r} is unknown.", f"Use one of {allowed}.")
    return found.number


def read_uuid(text: str) -> str:
    """Return a request id, a UUID of any version, in the one spelling that it is kept in: lower case with hyphens.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    if not is_uuid(text):
        remedy = "Send a new one, 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12 with hyphens."
        raise refuse(Reason.INVALID_ARGUMENT, "request_id", f"{text[:40]!r} is not a UUID.", remedy)
    return text.lower()


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID, in any case, with hyphens."""
    return _UUID.fullmatch(text) is not None


def read_time(message: Timestamp, path: str) -> datetime:
    """Return a time as an aware datetime, UTC.

    Raises:
        CollectionsError: INVALID_ARGUMENT for one outside the calendar.
    """
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise refuse(Reason.INVALID_ARGUMENT, path, "is no time.", "Send seconds since 1970, UTC.") from error


def _prefix(kind: EnumDescriptor) -> str:
    return str(kind.values_by_number[0].name).removesuffix("UNSPECIFIED")


@contextmanager
def told_as(heads: Mapping[str, str], renames: Mapping[str, str] = {}) -> Iterator[None]:
    """Tell errors of the body in the caller's field paths.

    Args:
        heads: a whole path or first segment of the core's -> the caller's path ("queues" -> "capacity_plan.queues").
        renames: last segment of the core's path -> the caller's name ("agents" -> "agent_count"); ``_minor`` becomes
            ``_minor_units`` everywhere.
    """
    try:
        yield
    except CollectionsError as error:
        found = tuple(replace(v, field=_told(v.field, heads, renames)) for v in error.violations)
        message = str(found[0]) if len(found) == 1 and error.message == str(error.violations[0]) else error.message
        raise CollectionsError(error.reason, message, found, error.resource) from error


def _told(path: str, heads: Mapping[str, str], renames: Mapping[str, str]) -> str:
    if path in heads:
        return heads[path]
    parts = re.match(r"(?P<head>\w*)(?P<rest>.*)", path, re.DOTALL)
    assert parts is not None
    told = heads.get(parts["head"], parts["head"]) + parts["rest"]
    before, dot, last = told.rpartition(".")
    name, bracket, index = last.partition("[")
    last = renames.get(name, name) + bracket + index
    return before + dot + told_money(last)
