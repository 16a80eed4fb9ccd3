"""The segments a model is judged by: bucket, product, state and balance band, each only where it divides the accounts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.codes.currencies import currency
from collections_opt.core.rules.eligibility import LAST_BUCKET, bucket_of

Bools = NDArray[np.bool_]
BANDS = 4
"""Balance bands of equal count."""


def segments_of(portfolio: Portfolio) -> dict[str, Bools]:
    """Return where the accounts of each segment are, bool (n,) by name; a division with a single value is left out."""
    divisions = (_buckets(portfolio), _texts(portfolio, "product"), _texts(portfolio, "state"), _balance_bands(portfolio))
    found: dict[str, Bools] = {}
    for division in divisions:
        members = dict(division)
        if len(members) > 1:
            found |= members
    return found


def _buckets(portfolio: Portfolio) -> Iterator[tuple[str, Bools]]:
    bucket = bucket_of(portfolio.column("days_past_due"))
    for one in np.unique(bucket).tolist():
        days = f"{30 * one} or more" if one == LAST_BUCKET else f"{max(30 * one, 1)}-{30 * one + 29}"
        yield f"{days} days past due", bucket == one


def _texts(portfolio: Portfolio, name: str) -> Iterator[tuple[str, Bools]]:
    values, number = np.unique(portfolio.column(name), return_inverse=True)
    for index, value in enumerate(values.tolist()):
        yield f"{name} {value.decode()}" if value else f"no {name}", number == index


def _balance_bands(portfolio: Portfolio) -> Iterator[tuple[str, Bools]]:
    balance = portfolio.column("balance_minor")
    edges = np.unique(np.quantile(balance, np.arange(1, BANDS) / BANDS, method="lower"))
    band = np.searchsorted(edges, balance, side="left")
    unit = currency(portfolio.currency_code)
    for index in np.unique(band).tolist():
        low = f"over {unit.exact(edges[index - 1])}" if index else ""
        high = f"up to {unit.exact(edges[index])}" if index < edges.size else ""
        yield f"balance {' '.join(part for part in (low, high) if part)} {unit.code}", band == index
