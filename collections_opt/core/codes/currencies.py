"""ISO 4217: the exponent of a currency's minor unit, and amounts written for people."""

from __future__ import annotations

import math

from collections_opt.core.codes.iso_4217 import EXPONENTS
from collections_opt.core.codes.nearest import nearest
from collections_opt.core.errors import Reason, refuse


def check_currency(code: str, field: str = "currency_code") -> str:
    """Return a currency code that ISO 4217 lists.

    Raises:
        CollectionsError: INVALID_ARGUMENT for any other text, with the nearest codes.
    """
    if code in EXPONENTS:
        return code
    close = nearest(code.strip().upper(), tuple(EXPONENTS))
    remedy = f"Use its code, such as {' or '.join(close)}." if close else "Use a code like USD."
    raise refuse(Reason.INVALID_ARGUMENT, field, f"{code!r} is not a currency of ISO 4217.", remedy)


def exponent(currency_code: str) -> int:
    """Return the decimals of a currency's major unit: 2 for USD, 0 for JPY, 3 for KWD.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a code that ISO 4217 does not list.
    """
    return EXPONENTS[check_currency(currency_code)]


def major(minor: float, currency_code: str) -> float:
    """Return an amount of minor units in major units, for figures and plots; money itself stays int64 minor units."""
    return minor / 10.0 ** exponent(currency_code)


def written(minor: float, currency_code: str, signed: bool = False) -> str:
    """Return an amount for people, to the last minor unit and without the code: 1234567 USD is ``12,345.67``."""
    digits = exponent(currency_code)
    return f"{minor / 10.0**digits:{'+' if signed else ''},.{digits}f}"


def written_whole(minor: float, currency_code: str, signed: bool = False) -> str:
    """Return an amount for people, rounded to whole major units and without the code: 1234567 USD is ``12,346``."""
    value = minor / 10.0 ** exponent(currency_code)
    return "-" if math.isnan(value) else f"{value:{'+' if signed else ''},.0f}"
