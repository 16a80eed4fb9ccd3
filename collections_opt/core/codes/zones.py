"""A time zone as lenders write it, read as its IANA name."""

from __future__ import annotations

import re
from functools import cache

from collections_opt.core.codes.iana_zones import ZONES
from collections_opt.core.codes.nearest import nearest
from collections_opt.core.codes.readings import CodeReading
from collections_opt.core.errors import Reason, refuse


def read_zone(text: str) -> CodeReading:
    """Return the IANA name that a text means; case and separators may differ.

    An abbreviation such as CST has two readings, and so none.
    """
    if text in ZONES:
        return CodeReading(text)
    found = _by_key().get(_key(text), "")
    return CodeReading(found) if found else CodeReading(text, known=False)


def check_zone(name: str, field: str = "time_zone") -> str:
    """Return a time zone that the IANA list holds.

    Raises:
        CollectionsError: INVALID_ARGUMENT for any other text, with the nearest names.
    """
    if name in ZONES:
        return name
    close = zones_near(name) if name else ()
    remedy = f"Use a name like {close[0] if close else 'America/New_York'}."
    raise refuse(Reason.INVALID_ARGUMENT, field, f"{name!r} is not an IANA time zone.", remedy)


def zones_near(text: str) -> tuple[str, ...]:
    """Return IANA names near a text that is none, best first; a city alone finds its zone."""
    cities = {key.split("/")[-1]: name for key, name in _by_key().items()}
    if _key(text) in cities:
        return (cities[_key(text)],)
    return tuple(_by_key()[key] for key in nearest(_key(text), tuple(_by_key())))


def _key(text: str) -> str:
    return re.sub(r"[\s_]+", "_", text.strip()).casefold()


@cache
def _by_key() -> dict[str, str]:
    return {_key(name): name for name in ZONES}
