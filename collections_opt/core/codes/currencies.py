"""ISO 4217: the exponent of a currency's minor unit, and amounts written for people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from collections_opt.core.codes.iso_4217 import EXPONENTS
from collections_opt.core.codes.nearest import nearest
from collections_opt.core.errors import Reason, refuse


@dataclass(frozen=True)
class Currency:
    """A currency and how its amounts are written; money itself stays int64 minor units.

    Attributes:
        code: ISO 4217.
        exponent: decimals of the major unit: 2 for USD, 0 for JPY, 3 for KWD.
    """

    code: str
    exponent: int

    def major(self, minor: float) -> float:
        """Return minor units in major units, for figures."""
        return minor / 10.0**self.exponent

    def exact(self, minor: float) -> str:
        """Return an amount to the last minor unit, grouped, without the code: ``12,345.67``."""
        return f"{self.major(minor):,.{self.exponent}f}"

    def whole(self, minor: float) -> str:
        """Return an amount in whole major units, grouped, without the code: ``12,346``; a dash where it is undefined."""
        return "-" if math.isnan(minor) else f"{self.major(minor):,.0f}"

    def change(self, minor: float) -> str:
        """Return a difference in whole major units with its sign."""
        return f"{self.major(minor):+,.0f}"


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


@cache
def currency(code: str) -> Currency:
    """Return a currency by its code.

    Raises:
        CollectionsError: as ``check_currency``.
    """
    return Currency(code, EXPONENTS[check_currency(code)])
