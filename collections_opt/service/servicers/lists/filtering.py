"""Filters and orders of lists in the style of AIP-160 and AIP-132, kept small: ``field = "value"`` joined by AND; one field, or
one field and ``desc``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_TEXT_CHARACTERS
from collections_opt.core.listing import Order, Term

_TERM = re.compile(r'\s*([a-z_.]+)\s*(<=|>=|=|<|>)\s*(?:"([^"\\]*)"|([A-Za-z0-9._-]+))\s*')
_AND = re.compile(r"AND(?=\s)")
_ORDER = re.compile(r"\s*([a-z_.]+)(?:\s+(asc|desc))?\s*")


@dataclass(frozen=True)
class Kind:
    """How values of a field are written in a filter.

    Attributes:
        read: returns the value of its text; a ``ValueError`` refuses it.
        has_size: one may be smaller than another, so that ``<`` and its like say something.
    """

    read: Callable[[str], Any]
    has_size: bool = False


def read_day(text: str) -> date:
    """Return a date of ISO 8601.

    Raises:
        ValueError: for anything else.
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def read_truth(text: str) -> bool:
    """Return what ``true`` and ``false`` say.

    Raises:
        ValueError: for anything else.
    """
    return {"true": True, "false": False}[text] if text in ("true", "false") else _no_value(text)


def one_of(names: Iterable[str]) -> Kind:
    """Return the kind of a field that holds one of a few names."""
    known = frozenset(names)
    return Kind(lambda text: text if text in known else _no_value(text))


TEXT, NUMBER, DAY, TRUTH = Kind(str), Kind(int, has_size=True), Kind(read_day, has_size=True), Kind(read_truth)
Kinds = Mapping[str, Kind]
"""By what a list is filtered: the kind of each field that may be named."""


def read_filter(text: str, fields: Kinds) -> tuple[Term, ...]:
    """Return the terms of a filter; none for an empty one.

    Args:
        text: such as ``portfolio_id = "uci-2005-08" AND as_of_date >= 2005-08-01``.
        fields: what may be named; each once, and one with a size once from below and once from above.

    Raises:
        CollectionsError: INVALID_ARGUMENT at ``filter`` for anything else.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise _wrong("is too long", fields)
    found: list[Term] = []
    place = 0
    while text:
        match = _TERM.match(text, place)
        if match is None:
            raise _unreadable(place, fields)
        term = _read_term(match, fields)
        if any(_clash(term, known) for known in found):
            raise _wrong(f"gives {term.name} two values", fields)
        found.append(term)
        place = match.end()
        if place == len(text):
            break
        joined = _AND.match(text, place)
        if joined is None:
            raise _unreadable(place, fields)
        place = joined.end()
    return tuple(found)


def _clash(one: Term, other: Term) -> bool:
    """Return whether two terms say of one field what it is, or where it begins or ends, twice."""
    return one.name == other.name and ("=" in (one.sign, other.sign) or one.sign[0] == other.sign[0])


def _read_term(match: re.Match[str], fields: Kinds) -> Term:
    name, sign, value = match[1], match[2], match[3] if match[3] is not None else match[4]
    if name not in fields:
        raise _wrong(f"names {name[:40]!r}, by which this list is not filtered", fields)
    if sign != "=" and not fields[name].has_size:
        raise _wrong(f"asks for {name} by {sign}, and it has no size", fields)
    try:
        return Term(name, sign, fields[name].read(value) if value else _no_value(value))
    except ValueError as error:
        raise _wrong(f"gives {name} a value that is none: {value[:40]!r}", fields) from error


def read_order(text: str, names: Iterable[str]) -> Order:
    """Return the order of a list: a field, or a field and ``asc`` or ``desc``; the list's own for an empty one.

    Raises:
        CollectionsError: INVALID_ARGUMENT at ``order_by`` for anything else.
    """
    known = tuple(names)
    if not text:
        return Order()
    found = _ORDER.fullmatch(text[:MAX_TEXT_CHARACTERS])
    if found is None or found[1] not in known:
        told = f"{text[:40]!r} is no order of this list."
        raise refuse(Reason.INVALID_ARGUMENT, "order_by", told, f"Send one of {', '.join(known)}, or one and 'desc'.")
    return Order(found[1], found[2] == "desc")


def _no_value(text: str) -> Any:
    raise ValueError(text)


def _unreadable(place: int, fields: Kinds) -> CollectionsError:
    return _wrong(f"cannot be read from its character {place + 1} on", fields)


def _wrong(told: str, fields: Kinds) -> CollectionsError:
    remedy = f'Send field = "value", joined by AND, with the fields {", ".join(fields)}.'
    return refuse(Reason.INVALID_ARGUMENT, "filter", f"{told}.", remedy)
