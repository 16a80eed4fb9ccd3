"""Money and figures for people."""

from __future__ import annotations

import math


def money(minor: float, currency_code: str = "") -> str:
    """Return minor units as grouped major units without cents, with the currency if given."""
    text = f"{minor / 100:,.0f}"
    return f"{text} {currency_code}".strip()


def money_exact(minor: float) -> str:
    """Return minor units as grouped major units with cents."""
    return f"{minor / 100:,.2f}"


def share(value: float) -> str:
    """Return a share as a percentage with one decimal; a dash where it is undefined."""
    return "-" if math.isnan(value) else f"{value:.1%}"


def gap(value: float) -> str:
    """Return an optimality gap: 0 exactly, or in scientific notation."""
    return "0" if value == 0 else f"{value:.1e}"
