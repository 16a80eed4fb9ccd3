"""What a model may speak about: the products, countries, currencies and buckets that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.rules.eligibility import bucket_of

Bools = NDArray[np.bool_]

FIELDS = ("product", "country", "currency", "bucket")
"""What a domain tells apart."""


@dataclass(frozen=True)
class ModelDomain:
    """Values that a model knows from at least ``MIN_CELL_COUNT`` training accounts each.

    Attributes:
        products: product codes.
        countries: ISO 3166-1 codes of the states; empty where no training account told one: then none is checked.
        currencies: ISO 4217 codes.
        buckets: 30-day buckets of days past due.
    """

    products: tuple[str, ...]
    countries: tuple[str, ...]
    currencies: tuple[str, ...]
    buckets: tuple[int, ...]

    def inside(self, portfolio: Portfolio, fields: Sequence[str] = FIELDS) -> Bools:
        """Return which accounts the model knows the kind of as far as some fields tell, bool (n,)."""
        return inside(self.outside(portfolio), portfolio.account_count, fields)

    def missed_by(self, portfolio: Portfolio) -> dict[str, int]:
        """Return how many accounts are outside by field and value, such as ``product MORTGAGE``; the most frequent first."""
        missed = {field: outside for field, outside in self.outside(portfolio).items() if outside.any()}
        values = _values(portfolio) if missed else {}
        found: dict[str, int] = {}
        for field, outside in missed.items():
            names, counts = np.unique(values[field][outside], return_counts=True)
            for name, count in zip(names.tolist(), counts.tolist(), strict=True):
                found[f"{field} {name.decode() if isinstance(name, bytes) else name}"] = int(count)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def outside(self, portfolio: Portfolio) -> dict[str, Bools]:
        """Return which accounts the model does not know the kind of, by field, bool (n,) each."""
        values = _values(portfolio)
        known = {field: [one.encode() for one in getattr(self, name)] for field, name in _TEXTS.items()}
        found = {field: ~_among(values[field], texts) for field, texts in known.items()}
        if not self.countries:
            found["country"][:] = False
        found["country"] &= values["country"] != b""
        found["bucket"] = ~_among(values["bucket"], self.buckets)
        return found


_TEXTS = {"product": "products", "country": "countries", "currency": "currencies"}


def inside(outside: Mapping[str, Bools], count: int, fields: Sequence[str] = FIELDS) -> Bools:
    """Return which of so many accounts no field of ``fields`` puts outside, bool (n,)."""
    result = np.ones(count, dtype=bool)
    for field in fields:
        result &= ~outside[field]
    return result


def domain_of(portfolios: Sequence[Portfolio]) -> ModelDomain:
    """Return the domain of a model trained on portfolios."""
    parts = [_values(one) for one in portfolios]
    found = {field: _frequent(np.concatenate([part[field] for part in parts])) for field in parts[0]}
    texts = {name: tuple(value.decode() for value in found[field] if value) for field, name in _TEXTS.items()}
    return ModelDomain(**texts, buckets=tuple(found["bucket"]))


def _values(portfolio: Portfolio) -> dict[str, NDArray[Any]]:
    """Return product, country, currency (bytes) and bucket (int64) of each account; a country is the head of its state."""
    state = np.where(portfolio.is_present("state"), portfolio.column("state"), b"")
    return {
        "product": portfolio.column("product"),
        "country": state.astype("S2"),  # ISO 3166-2 codes begin with the two letters of the country
        "currency": np.full(portfolio.account_count, portfolio.currency_code.encode()),
        "bucket": bucket_of(portfolio.column("days_past_due")),
    }


def _among(values: NDArray[Any], known: Sequence[Any]) -> Bools:
    """Return where values are one of a few, bool (n,): a comparison each is faster than sorting a book."""
    result = np.zeros(values.size, dtype=bool)
    for one in known:
        result |= values == one
    return result


def _frequent(values: NDArray[Any]) -> list[Any]:
    names, counts = np.unique(values, return_counts=True)
    return list(names[counts >= MIN_CELL_COUNT].tolist())
