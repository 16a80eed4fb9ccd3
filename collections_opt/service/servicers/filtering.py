"""Filters of lists in the style of AIP-160, kept small: ``field = "value"``, joined by AND."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_TEXT_CHARACTERS

_TERM = re.compile(r'\s*([a-z_]+)\s*=\s*(?:"([^"\\]*)"|([A-Za-z0-9._-]+))\s*')
_AND = re.compile(r"AND(?=\s)")
Read = Callable[[str], Any]


def read_filter(text: str, fields: Mapping[str, Read]) -> dict[str, Any]:
    """Return the value that a filter asks for, by field; empty for an empty filter.

    Args:
        text: such as ``portfolio_id = "uci-2005-08" AND as_of_date = 2005-08-31``.
        fields: how the value of each field that may be named is read; a ``ValueError`` refuses it.

    Raises:
        CollectionsError: INVALID_ARGUMENT at ``filter`` for anything else.
    """
    found: dict[str, Any] = {}
    if not text:
        return found
    if len(text) > MAX_TEXT_CHARACTERS:
        raise _wrong("is too long", fields)
    place = 0
    while True:
        term = _TERM.match(text, place)
        if term is None:
            raise _wrong(f"cannot be read from its character {place + 1} on", fields)
        name, value = term[1], term[2] if term[2] is not None else term[3]
        if name not in fields:
            raise _wrong(f"names {name[:40]!r}, by which this list is not filtered", fields)
        if name in found or not value:
            raise _wrong(f"gives {name} no value, or two", fields)
        try:
            found[name] = fields[name](value)
        except ValueError as error:
            raise _wrong(f"gives {name} a value that is none: {value[:40]!r}", fields) from error
        place = term.end()
        if place == len(text):
            return found
        joined = _AND.match(text, place)
        if joined is None:
            raise _wrong(f"cannot be read from its character {place + 1} on", fields)
        place = joined.end()


def read_day(text: str) -> date:
    """Return a date of ISO 8601.

    Raises:
        ValueError: for anything else.
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _wrong(told: str, fields: Mapping[str, Read]) -> CollectionsError:
    remedy = f'Send field = "value", joined by AND, with the fields {", ".join(fields)}.'
    return refuse(Reason.INVALID_ARGUMENT, "filter", f"{told}.", remedy)
