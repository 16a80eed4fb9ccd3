"""Coded facts of accounts on their closed vocabularies, whole columns at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.core.arrays import Array
from collections_opt.core.codes.columns import CodedColumn, Mask, read_codes
from collections_opt.core.codes.languages import languages_near, read_language
from collections_opt.core.codes.places import places_near, read_place
from collections_opt.core.codes.products import products_near, read_product
from collections_opt.core.codes.readings import CodeReading
from collections_opt.core.codes.zones import read_zone, zones_near

_REMEDIES = {"product": "Declare it among the products of the header or mapping, or save values for it: scripts/parameters.py."}


def read_coded_facts(raw: RawPortfolio, columns: Mapping[str, Array], present: Mapping[str, Mask]) -> dict[str, CodedColumn]:
    """Return every column of coded facts as it is held, by schema column.

    Args:
        raw: what the sender declared: currency, country and products. Without products theirs are not read.
        columns: bytes (n,) UTF-8 as they were sent, by schema column.
        present: bool (n,) where a cell has a value.
    """
    known = raw.products
    readings: dict[str, tuple[Callable[[str], CodeReading], Callable[[str], tuple[str, ...]]]] = {
        "state": (lambda text: read_place(text, raw.currency_code, raw.country_code), lambda t: places_near(t, raw.country_code)),
        "time_zone": (read_zone, zones_near),
        "language": (read_language, languages_near),
    }
    if known is not None:
        readings["product"] = (lambda text: read_product(text, known), lambda text: products_near(text, known))
    held = {name: how for name, how in readings.items() if name in columns}
    return {name: read_codes(name, columns[name], present[name], *how) for name, how in held.items()}


def remedy_of(name: str, near: tuple[str, ...]) -> str:
    """Return what the sender of an unknown code should do.

    Args:
        name: schema column.
        near: known codes near it, best first.
    """
    if near:
        return f"Send one of: {', '.join(near)}."
    return _REMEDIES.get(name, f"Send {ACCOUNT_SCHEMA[name].meaning}")
