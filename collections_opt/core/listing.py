"""What a list is asked for: terms that its rows meet, and the field that orders them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

SIGNS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
"""How a field may stand to the value of a term; of columns of a database as of values."""


@dataclass(frozen=True)
class Term:
    """A condition on one field.

    Attributes:
        name: the field, as the contract calls it.
        sign: one of ``SIGNS``.
        value: a text, a number, a date, an aware datetime or a truth.
    """

    name: str
    sign: str
    value: Any

    def holds(self, value: Any) -> Any:
        """Return whether a value meets the condition; of a column of a database, the condition itself."""
        return SIGNS[self.sign](value, self.value)


@dataclass(frozen=True)
class Order:
    """The field by which a list is ordered; without a name, the list's own order.

    Attributes:
        name: the field, as the contract calls it.
        descending: the largest first.
    """

    name: str = ""
    descending: bool = False


Place = tuple[Any, Any]
"""Where a row stands in an order: the value of the field, and what tells rows of one value apart."""
