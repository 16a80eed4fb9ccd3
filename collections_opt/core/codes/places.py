"""A jurisdiction as lenders write it, read as its ISO 3166 code where there is one reading only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from collections_opt.core.codes.iso_3166 import COUNTRIES, SUBDIVISIONS
from collections_opt.core.codes.nearest import nearest
from collections_opt.core.codes.readings import CodeReading
from collections_opt.core.errors import FieldViolation, Reason, refuse

_SEPARATORS = re.compile(r"[\s_./\\-]+")
_CODE = re.compile(r"[A-Z0-9]{2,3}(-[A-Z0-9]{1,3}(-[A-Z0-9]{1,5})?)?")

SHORT = 3
"""A text of at most so many characters is a code, not a name."""

BARE = ("US", "CA", "AU")
"""Countries whose people write a state alone, as ``MA``."""

SAME_PLACE = {code: f"US-{code}" for code in ("AS", "GU", "MP", "PR", "UM", "VI")}
"""Territories that ISO 3166 lists both as a country and as a part of one; the part, so that the country's rules bind it."""


RESERVED = {"UK": "GB", "EL": "GR"}
"""Codes that ISO 3166-1 reserves for a country beside its own."""


def read_place(text: str, currency_code: str, country: str = "") -> CodeReading:
    """Return the ISO 3166 code that a text means: a country, a subdivision, or a place of a subdivision (``US-NY-NYC``).

    A state alone or a name that several places bear is read by the country that was declared, else by the countries that use the
    portfolio's currency; what still has two readings has none.

    Args:
        text: as the lender wrote it; not empty.
        currency_code: ISO 4217, of the portfolio.
        country: ISO 3166-1 alpha-2, where the sender declares it.
    """
    if "-" in text and _is_code(text):
        return CodeReading(text)
    plain = _plain(text)
    if "-" in plain and _is_code(plain):
        return CodeReading(plain)
    found = _candidates(plain)
    if len(found) > 1:
        found = _of_country(found, country) if country else _of_currency(found, currency_code)
    if len(found) == 1:
        return CodeReading(SAME_PLACE.get(found[0], found[0]))
    return CodeReading(text, known=False, nearest=tuple(found[:3]))


def check_country(code: str, field: str = "country_code") -> str:
    """Return a country code that ISO 3166-1 lists, or "" for none declared.

    Raises:
        CollectionsError: INVALID_ARGUMENT for any other text.
    """
    if code and code not in COUNTRIES:
        raise refuse(Reason.INVALID_ARGUMENT, field, f"{code!r} is not a country of ISO 3166-1.", "Use a code like US.")
    return code


def place_violations(field: str, codes: Sequence[str], currency_code: str) -> list[FieldViolation]:
    """Return what is wrong with codes that people write to decide: anything but the code itself would be found in no account."""
    found = []
    for index, code in enumerate(codes):
        reading = read_place(code, currency_code)
        if reading.known and reading.code == code:
            continue
        near = (reading.code,) if reading.known else reading.nearest or places_near(code)
        remedy = f"Use {' or '.join(near)}." if near else "Use a code like US-MA."
        found.append(FieldViolation(f"{field}[{index}]", f"{code!r} is not a code of ISO 3166.", remedy))
    return found


def places_near(text: str, country: str = "") -> tuple[str, ...]:
    """Return codes near a text that is none: of its own country where that is known, else by name; best first."""
    plain = _plain(text)
    head, _, tail = plain.partition("-")
    inside = head if tail and head in SUBDIVISIONS else country
    if inside:
        return tuple(f"{inside}-{part}" for part in nearest(tail or plain, tuple(SUBDIVISIONS.get(inside, {})))) or (inside,)
    if len(plain) <= SHORT:
        return nearest(plain, tuple(COUNTRIES))
    close = (code for name in nearest(_name_key(plain), tuple(_by_name())) for code in _by_name()[name])
    return tuple(dict.fromkeys(close))


def _plain(text: str) -> str:
    return _SEPARATORS.sub("-", unicodedata.normalize("NFKC", text).strip().strip("-._/")).upper()


def _is_code(text: str) -> bool:
    if not _CODE.fullmatch(text):
        return False
    country, part, *_place = text.split("-")
    return part in SUBDIVISIONS.get(country, {})


def _candidates(plain: str) -> list[str]:
    """All codes that a text without a country may mean."""
    plain = RESERVED.get(plain, plain)
    found = [plain] if plain in COUNTRIES else []
    found += [f"{country}-{plain}" for country in BARE if plain in SUBDIVISIONS[country]]
    found += _by_name().get(_name_key(plain), [])
    unique = dict.fromkeys(SAME_PLACE.get(code, code) for code in found)
    return list(unique)


def _of_country(found: list[str], country: str) -> list[str]:
    inside = [code for code in found if code.split("-")[0] == country]
    return inside or found


def _of_currency(found: list[str], currency_code: str) -> list[str]:
    return [code for code in found if currency_code in COUNTRIES[code.split("-")[0]][2:]] or found


def _name_key(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]", "", bare.casefold())


@cache
def _by_name() -> dict[str, list[str]]:
    """Codes by name and by alpha-3; a name may belong to several."""
    names: dict[str, list[str]] = {}
    for code, (name, alpha3, *_money) in COUNTRIES.items():
        for written in filter(None, (name, alpha3)):
            names.setdefault(_name_key(written), []).append(code)
    for country, parts in SUBDIVISIONS.items():
        for part, name in parts.items():
            names.setdefault(_name_key(name), []).append(f"{country}-{part}")
    return names
