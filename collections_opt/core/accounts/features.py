"""The feature set: declared once, built by the same code in training and in serving.

Point in time by construction: features read only the columns of a ``Portfolio``, which describe its as-of date and earlier.
No protected attribute and no proxy listed for one is a column of the account schema or a declared own column, so none can be a
feature (Reg B).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_features import OwnFeature, own_matrix
from collections_opt.core.accounts.portfolio import Portfolio

FEATURE_SET_VERSION = "delinquency-2"
"""Changes whenever a feature is added, removed or computed differently."""

MONTHS = 3
"""Months of history the features read; more would be missing in every training snapshot of the bundled data."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureDefinition:
    """One feature.

    Attributes:
        name: stable name.
        group: reasons are given per group.
        meaning: one sentence.
        unit: of the value.
        window_months: months of history it reads; 0 reads the as-of date's columns only.
        cure_sign: expected direction on p_cure: +1, -1, or 0 where the domain does not say.
        may_be_missing: NaN is possible; False only for what every accepted account has.
    """

    name: str
    group: str
    meaning: str
    unit: str
    window_months: int = 0
    cure_sign: int = 0
    may_be_missing: bool = True


@dataclass(frozen=True)
class Features:
    """A feature matrix: float32 (n, f), NaN where missing, with its names and version."""

    matrix: NDArray[np.float32]
    names: tuple[str, ...]
    version: str


_F = FeatureDefinition
_LAGS = range(MONTHS)
_PREVIOUS = range(MONTHS - 1)

FEATURES: tuple[FeatureDefinition, ...] = (
    *(_F(f"status_{lag}", "DELINQUENCY", f"Months past due {lag + 1} month(s) ago.", "months", lag + 1, -1) for lag in _LAGS),
    _F("days_past_due", "DELINQUENCY", "Days past due at the as-of date.", "days", 0, -1, may_be_missing=False),
    _F("status_worst", "DELINQUENCY", "Worst months past due in the window.", "months", MONTHS, -1),
    _F("status_change", "DELINQUENCY", "Change of months past due over the last month.", "months", 2),
    _F("months_late", "DELINQUENCY", "Months late in the window.", "months", MONTHS, -1),
    *(
        _F(f"payment_ratio_{lag}", "PAYMENTS", f"Payment over balance, {lag} month(s) before the as-of date.", "share", lag + 1)
        for lag in _LAGS
    ),
    *(
        _F(
            f"payment_statement_ratio_{lag}",
            "PAYMENTS",
            f"Payment {lag} month(s) ago over the statement it answers.",
            "share",
            lag + 2,
        )
        for lag in _PREVIOUS
    ),
    _F("payment_arrears_ratio", "PAYMENTS", "Latest payment over arrears.", "share", 1),
    _F("payment_window_ratio", "PAYMENTS", "Payments of the window over its latest balance.", "share", MONTHS),
    _F("months_paid", "PAYMENTS", "Months with a payment in the window.", "months", MONTHS),
    _F("months_since_payment", "PAYMENTS", "Months since the last payment, at most the months known.", "months", MONTHS),
    _F("latest_payment", "PAYMENTS", "Latest payment.", "log minor units", 1),
    _F("balance", "BALANCE", "Balance.", "log minor units", 0, may_be_missing=False),
    _F("arrears_share", "BALANCE", "Arrears over balance.", "share", 0, -1),
    _F("balance_growth", "BALANCE", "Change of balance over the last month over balance.", "share", 2),
    _F("balance_growth_window", "BALANCE", "Change of balance over the window over balance.", "share", MONTHS),
    _F("credit_limit", "UTILISATION", "Credit limit.", "log minor units", 0, 1),
    _F("utilisation", "UTILISATION", "Balance over credit limit.", "share", 0, -1),
    _F("utilisation_change", "UTILISATION", "Change of utilisation over the last month.", "share", 2),
    _F("months_on_book", "TENURE", "Months since origination.", "months", 0),
)
"""The feature set, in matrix order."""

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)


def definitions(own: Sequence[OwnFeature] = ()) -> tuple[FeatureDefinition, ...]:
    """Return the features of a model that learned from own columns too, in matrix order: each of those is a group of its own."""
    added = (_F(one.field, f"OWN_{one.name.upper()}", one.meaning, one.unit, 0, one.expected_sign) for one in own)
    return (*FEATURES, *added)


def build_features(portfolio: Portfolio, own: Sequence[OwnFeature] = ()) -> Features:
    """Return the features of every account, float32 (n, f), NaN where the columns are missing.

    Args:
        portfolio: n accounts.
        own: own columns that the model learned from; they come after the others.
    """
    columns = _compute(portfolio)
    matrix = np.empty((portfolio.account_count, len(FEATURES) + len(own)), dtype=np.float32)
    for index, name in enumerate(FEATURE_NAMES):
        matrix[:, index] = columns[name]()
    if own:
        matrix[:, len(FEATURES) :] = own_matrix(portfolio, own)
    return Features(matrix, (*FEATURE_NAMES, *(one.field for one in own)), FEATURE_SET_VERSION)


def _history(portfolio: Portfolio, name: str) -> Floats:
    """Return a history as float64 (n, MONTHS), NaN where missing or shorter."""
    values, present = portfolio.column(name), portfolio.is_present(name)
    result = np.full((portfolio.account_count, MONTHS), np.nan)
    months = min(MONTHS, values.shape[1])
    result[:, :months] = np.where(present[:, :months], values[:, :months], np.nan)
    return result


def _optional(portfolio: Portfolio, name: str) -> Floats:
    return np.where(portfolio.is_present(name), portfolio.column(name).astype(np.float64), np.nan)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide, NaN where the denominator is not positive; clipped so that one odd balance cannot dominate."""
    safe = np.where(denominator > 0, denominator, np.nan)
    return np.clip(numerator / safe, -10.0, 10.0)


def _leading_months_without(paid: Floats) -> NDArray[np.int64]:
    """Return the number of known months, counted from the latest, before the first with a payment."""
    unpaid = paid == 0  # an unknown month ends the count, as a payment does
    return np.asarray(np.cumprod(unpaid, axis=1).sum(axis=1), dtype=np.int64)


def _compute(portfolio: Portfolio) -> Mapping[str, Callable[[], Floats]]:
    status = _history(portfolio, "status_history")
    paid = _history(portfolio, "payment_history_minor")
    owed = _history(portfolio, "balance_history_minor")
    balance = portfolio.column("balance_minor").astype(np.float64)
    arrears = portfolio.arrears_minor().astype(np.float64)
    limit = _optional(portfolio, "credit_limit_minor")
    known = ~np.isnan(status)
    any_status = known.any(axis=1)
    any_payment = ~np.isnan(paid).all(axis=1)
    late = np.where(known, status > 0, 0).sum(axis=1)
    features: dict[str, Callable[[], Floats]] = {
        "days_past_due": lambda: portfolio.column("days_past_due").astype(np.float64),
        "status_worst": lambda: np.where(any_status, np.where(known, status, -9).max(axis=1), np.nan),
        "status_change": lambda: status[:, 0] - status[:, 1],
        "months_late": lambda: np.where(any_status, late, np.nan),
        "payment_arrears_ratio": lambda: _ratio(paid[:, 0], arrears),
        "payment_window_ratio": lambda: _ratio(np.where(any_payment, np.nansum(paid, axis=1), np.nan), owed[:, 0]),
        "months_paid": lambda: np.where(any_payment, (np.nan_to_num(paid) > 0).sum(axis=1), np.nan),
        "months_since_payment": lambda: np.where(any_payment, _leading_months_without(paid), np.nan),
        "latest_payment": lambda: np.log1p(paid[:, 0]),
        "balance": lambda: np.log1p(np.maximum(balance, 0.0)),
        "arrears_share": lambda: _ratio(arrears, balance),
        "balance_growth": lambda: _ratio(owed[:, 0] - owed[:, 1], np.abs(owed[:, 0])),
        "balance_growth_window": lambda: _ratio(owed[:, 0] - owed[:, MONTHS - 1], np.abs(owed[:, 0])),
        "credit_limit": lambda: np.log1p(limit),
        "utilisation": lambda: _ratio(balance, limit),
        "utilisation_change": lambda: _ratio(owed[:, 0] - owed[:, 1], limit),
        "months_on_book": lambda: _optional(portfolio, "months_on_book"),
    }
    for lag in _PREVIOUS:
        features[f"payment_statement_ratio_{lag}"] = lambda lag=lag: _ratio(paid[:, lag], owed[:, lag + 1])  # type: ignore[misc]
    for lag in _LAGS:
        features[f"status_{lag}"] = lambda lag=lag: status[:, lag]  # type: ignore[misc]
        features[f"payment_ratio_{lag}"] = lambda lag=lag: _ratio(paid[:, lag], owed[:, lag])  # type: ignore[misc]
    return features
