"""Money and figures for people."""

from __future__ import annotations

import math

from collections_opt.core.codes.currencies import currency


def money(minor: float, currency_code: str) -> str:
    """Return minor units as grouped whole major units of their currency, with its code."""
    return f"{currency(currency_code).whole(minor)} {currency_code}"


def share(value: float) -> str:
    """Return a share as a percentage with one decimal; a dash where it is undefined."""
    return "-" if math.isnan(value) else f"{value:.1%}"


def gap(value: float) -> str:
    """Return an optimality gap: 0 exactly, or in scientific notation."""
    return "0" if value == 0 else f"{value:.1e}"
