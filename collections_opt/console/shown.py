"""Figures, money, days and times as pages show them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from collections_opt.core.codes.currencies import currency
from collections_opt.core.errors import CollectionsError
from collections_opt.core.shown_text import visible
from collections_opt.wire.common import read_date

MINUTES = 60.0


def exact(minor: float, code: str) -> str:
    """Return an amount to its last minor unit, with its currency."""
    return f"{currency(code).exact(minor)} {code}"


def whole(minor: float, code: str) -> str:
    """Return an amount in whole major units, with its currency."""
    return f"{currency(code).whole(minor)} {code}"


def change(minor: float, code: str) -> str:
    """Return a difference in whole major units, with its sign and its currency."""
    return f"{currency(code).change(minor)} {code}"


def interval(low: float, high: float, code: str) -> str:
    """Return a 95 % interval of an amount."""
    unit = currency(code)
    return f"95 %: {unit.whole(low)} to {unit.whole(high)} {code}"


def count(value: float) -> str:
    """Return a count, grouped; a dash where it is undefined."""
    return "-" if math.isnan(value) else f"{value:,.0f}"


def hours(minutes: float) -> str:
    """Return minutes as hours with one decimal."""
    return f"{minutes / MINUTES:,.1f} h"


def share(value: float) -> str:
    """Return a share as a percentage with one decimal."""
    return "-" if math.isnan(value) else f"{value:.1%}"


def figure(value: float) -> str:
    """Return a number to three digits that count."""
    return f"{value:,.3g}" if abs(value) < 1_000 else f"{value:,.0f}"


def day(message: Any) -> str:
    """Return a date's message as people write it."""
    return f"{read_date(message, 'day')}"


def words(name: str) -> str:
    """Return the name of an enum's value in words: ``EVIDENCE_GRADE_ASSUMED`` without its prefix is ``assumed``."""
    return name.replace("_", " ").lower()


def enum_words(message: Any, name: str) -> str:
    """Return in words what an enum's field of a message holds, without the prefix that all its values share; "" for none."""
    kind = message.DESCRIPTOR.fields_by_name[name].enum_type
    names = [value.name for value in kind.values]
    prefix = next((one for one in names if one.endswith("_UNSPECIFIED")), names[0]).removesuffix("UNSPECIFIED")
    held: str = kind.values_by_number[getattr(message, name)].name
    return "" if held.endswith("_UNSPECIFIED") else words(held.removeprefix(prefix))


def refusal_words(error: CollectionsError) -> str:
    """Return why something cannot be had and what to do, for people: without the names of fields."""
    if not error.violations:
        return error.message
    first = error.violations[0]
    told = first.description
    if told.partition(" ")[0].isalpha():  # an id stays as it is written
        told = told[:1].upper() + told[1:]
    return f"{told} {first.remedy}".strip()


def instant(zone: str) -> Callable[[Any], Markup]:
    """Return what writes an instant for readers of a time zone, with the zone, in a form that machines read too."""
    known = ZoneInfo(zone)

    def write(message: Any) -> Markup:
        moment: datetime = message if isinstance(message, datetime) else message.ToDatetime(tzinfo=UTC)
        local = moment.astimezone(known)
        return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), f"{local:%Y-%m-%d %H:%M %Z}")

    return write


def shown(value: object) -> object:
    """Return a text of people with nothing hidden in it; markup of this package as it is."""
    return visible(value, lines=True) if isinstance(value, str) and not isinstance(value, Markup) else value


FILTERS: Mapping[str, Callable[..., Any]] = {
    "exact": exact,
    "whole": whole,
    "change": change,
    "interval": interval,
    "count": count,
    "hours": hours,
    "percent": share,
    "figure": figure,
    "day": day,
    "in_words": words,
    "enum_words": enum_words,
}
"""What templates may call."""
