"""When an outcome counts: the horizon and the line of default of each product; and what is told of accounts by a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_DAYS_PAST_DUE

Ints = NDArray[np.int64]

EVERY_OTHER = ""
"""Product code whose terms stand for products that have none of their own."""

MAX_HORIZON_DAYS = 3_660
MAX_GRACE_DAYS = 60


class Outcome(IntEnum):
    """What became of an account by its horizon. The first three are the columns of every probability array."""

    CURED = 0
    """Nothing is past due any more."""
    DEFAULTED = 1
    """It reached the product's line of default, or was charged off."""
    STAYED = 2
    """It was seen at its horizon and was neither."""
    SOLD = 10
    RECALLED = 11
    CLOSED = 12
    DIED = 13
    SETTLED = 14
    """Its person paid a part by agreement."""
    NOT_SEEN = 15
    """Nobody saw it at its horizon, and nothing tells why."""

    @property
    def is_censored(self) -> bool:
        """True where the account left sight before its horizon, so that its outcome is not known."""
        return self > Outcome.STAYED


class OutcomeSource(IntEnum):
    """What told an outcome; where several did, the highest one won."""

    NOTHING = 0
    PORTFOLIO = 1
    """A later portfolio: the account as it stood then."""
    EVENTS = 2
    """Events: what happened, and when."""
    FILE = 3
    """Rows that a person sent about these accounts."""


@dataclass(frozen=True)
class ProductTerms:
    """When outcomes of a product count.

    Attributes:
        horizon_days: outcomes count from the as-of date to so many days after it.
        default_days_past_due: days past due from which an account that had fewer has defaulted. One that had as many
            defaults by charge-off alone.
    """

    horizon_days: int
    default_days_past_due: int


@dataclass(frozen=True)
class OutcomeTerms:
    """When outcomes count.

    Attributes:
        products: by product code, ``EVERY_OTHER`` for those that have none of their own.
        grace_days: an account first seen again so many days after its horizon is taken to stand as it did then.
    """

    products: Mapping[str, ProductTerms] = field(default_factory=dict)
    grace_days: int = 7

    def of(self, accounts: Portfolio) -> tuple[Ints, Ints]:
        """Return horizon and line of default of every account in days, int64 (n,) each.

        Raises:
            CollectionsError: INVALID_ARGUMENT naming products without terms, or terms out of bounds.
        """
        faults = tuple(self.faults())
        if faults:
            raise CollectionsError(Reason.INVALID_ARGUMENT, str(faults[0]), faults)
        names, place = np.unique(accounts.column("product"), return_inverse=True)
        codes = [name.decode() for name in names.tolist()]
        lacking = [code or "(no product)" for code in codes if self._terms(code) is None]
        if lacking:
            told = f"say nothing of {', '.join(lacking[:5])}."
            raise refuse(Reason.INVALID_ARGUMENT, "terms.products", told, "Give each product a horizon and a line of default.")
        found = [self._terms(code) or ProductTerms(0, 0) for code in codes]
        horizon = np.array([one.horizon_days for one in found], dtype=np.int64)
        line = np.array([one.default_days_past_due for one in found], dtype=np.int64)
        return horizon[place], line[place]

    def faults(self, path: str = "terms") -> Iterator[FieldViolation]:
        """Yield what is wrong with the terms themselves."""
        for code, one in self.products.items():
            for name, value, most in (
                ("horizon_days", one.horizon_days, MAX_HORIZON_DAYS),
                ("default_days_past_due", one.default_days_past_due, MAX_DAYS_PAST_DUE),
            ):
                if not 1 <= value <= most:
                    yield FieldViolation(f"{path}.products[{code!r}].{name}", f"{value} is out of range.", f"Send 1 to {most}.")
        if not 0 <= self.grace_days <= MAX_GRACE_DAYS:
            told = f"{self.grace_days} is out of range."
            yield FieldViolation(f"{path}.grace_days", told, f"Send 0 to {MAX_GRACE_DAYS}.")

    def _terms(self, code: str) -> ProductTerms | None:
        return self.products.get(code) or self.products.get(EVERY_OTHER)


@dataclass(frozen=True)
class ToldOutcomes:
    """Outcomes that a file tells, k rows in any order; of an account told more than once the last row counts.

    Attributes:
        account_id: bytes (k,).
        outcome: int64 (k,) ``Outcome``.
        day: int64 (k,) day number on which it came about.
        cash_minor: int64 (k,) money paid within the horizon, -1 where the file does not say.
    """

    account_id: NDArray[np.bytes_]
    outcome: Ints
    day: Ints
    cash_minor: Ints
