"""Parameters of the value model, by product, each with its source and date (value-model section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.names import OMITTED_AT_DEFAULT
from collections_opt.core.value.discounting import Floats

BUCKET_COUNT = 7

VALUED_BY_PRODUCT = (
    "loss_given_default",
    "credit_conversion_factor",
    "redefault_probability",
    "stay_payment_share",
    "stay_value",
    "cure_days",
    "stay_days",
    "default_days",
)
"""What every product needs, and what its sources must account for."""


class CostBasis(StrEnum):
    """Which cost per minute enters the increment."""

    VARIABLE = "VARIABLE"
    """Wages are sunk: the shadow price prices minutes."""
    LOADED = "LOADED"
    """Wages included: for planning head count."""


class ValueGrade(StrEnum):
    """How well a value is known."""

    MEASURED = "MEASURED"
    """From what accounts did."""
    ASSUMED = "ASSUMED"
    """From judgement, or from other lenders' figures."""


@dataclass(frozen=True)
class ValueSource:
    """Where some of a product's values come from.

    Attributes:
        of: names of the values, out of ``VALUED_BY_PRODUCT``.
        text: the data or document, for people.
        as_of: last day of the data, or the day of the judgement.
        grade: how well they are known.
    """

    of: tuple[str, ...]
    text: str
    as_of: date
    grade: ValueGrade


@dataclass(frozen=True)
class ProductValues:
    """Values of one product.

    Attributes:
        loss_given_default: LGD of accounts with neither their own nor a recovery model's.
        credit_conversion_factor: CCF, share of the undrawn limit that is drawn before default.
        redefault_probability: PD_redefault after a cure.
        stay_payment_share: k, expected share of the arrears paid while staying.
        stay_value: v_S per bucket 0..6, value of one unit still in the bucket at H.
        cure_days: expected days to cure t_C.
        stay_days: expected days to the payments of an account that stays t_S.
        default_days: expected days to default t_D.
        sources: where they come from; together they name every value once.
        stay_value_low: low ends of 95 % intervals of ``stay_value``; empty where it was not measured.
        stay_value_high: high ends, likewise.
    """

    loss_given_default: float
    credit_conversion_factor: float
    redefault_probability: float
    stay_payment_share: float
    stay_value: tuple[float, ...]
    cure_days: int
    stay_days: int
    default_days: int
    sources: tuple[ValueSource, ...]
    stay_value_low: tuple[float, ...] = ()
    stay_value_high: tuple[float, ...] = ()

    @property
    def assumed(self) -> tuple[str, ...]:
        """Names of the values that are assumed, not measured."""
        return tuple(name for source in self.sources if source.grade is ValueGrade.ASSUMED for name in source.of)


@dataclass(frozen=True)
class ValueParameters:
    """Parameters of the value model, recorded with every ranking.

    Values come by product from ``products``. Where it is empty they are the same for all products but for LGD and CCF, as callers
    of releases up to 0.2.0 sent them; a product that neither table names has no values and is refused.

    Attributes:
        version: name of this set.
        discount_rate: yearly rate r of delta(t) = (1 + r)^(-t/365).
        horizon_days: H; capped per account by its days to contractual charge-off.
        cure_days: expected days to cure t_C.
        stay_days: expected days to the payments of an account that stays t_S.
        default_days: expected days to default t_D.
        stay_payment_share: k, expected share of the arrears paid while staying.
        stay_value: v_S per bucket 0..6, value of one unit still in the bucket at H.
        redefault_probability: PD_redefault after a cure.
        loss_given_default: LGD by product, of accounts with neither their own nor a model's.
        credit_conversion_factor: CCF by product.
        cost_basis: which cost per minute enters.
        products: values by product code, in place of all of the above but version, rate, horizon and cost basis.
        in_order: G_C >= G_S >= G_D is a condition, on these parameters and on every account, and "" stands for no product. False
            only where it was recorded before 0.3.0, to verify, replay and explain with the meaning of then.
    """

    version: str = "default"
    discount_rate: float = 0.12
    horizon_days: int = 90
    cure_days: int = 30
    stay_days: int = 60
    default_days: int = 180
    stay_payment_share: float = 0.25
    stay_value: tuple[float, ...] = (0.8,) * BUCKET_COUNT
    redefault_probability: float = 0.25
    loss_given_default: Mapping[str, float] = field(default_factory=lambda: {"": 0.75})
    credit_conversion_factor: Mapping[str, float] = field(default_factory=lambda: {"": 0.0})
    cost_basis: CostBasis = CostBasis.VARIABLE
    products: Mapping[str, ProductValues] = field(default_factory=dict, metadata=OMITTED_AT_DEFAULT)
    in_order: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)

    def by_product(self) -> dict[str, ProductValues]:
        """Return the values of every product that has its own, by product code; "" is none."""
        if self.products:
            return dict(self.products)
        named = [name for name in self.loss_given_default if name and name in self.credit_conversion_factor]
        return {name: self._flat(name) for name in named}

    def _flat(self, product: str) -> ProductValues:
        return ProductValues(
            self.loss_given_default[product],
            self.credit_conversion_factor[product],
            self.redefault_probability,
            self.stay_payment_share,
            self.stay_value,
            self.cure_days,
            self.stay_days,
            self.default_days,
            (),
        )


NO_FLAT_VALUES: Mapping[str, Any] = MappingProxyType({"stay_value": (), "loss_given_default": {}, "credit_conversion_factor": {}})
"""What the fields for all products alike hold where values come by product."""


@dataclass(frozen=True)
class AccountValues:
    """Values of each account by its product and bucket; float64 (n,)."""

    loss_given_default: Floats
    credit_conversion_factor: Floats
    redefault_probability: Floats
    stay_payment_share: Floats
    stay_value: Floats
    cure_days: Floats
    stay_days: Floats
    default_days: Floats


def account_values(parameters: ValueParameters, product: NDArray[np.bytes_], bucket: NDArray[np.int64]) -> AccountValues:
    """Return the values of accounts.

    Args:
        parameters: of the value model.
        product: bytes (n,) product code of each account.
        bucket: int64 (n,) from 0 to 6.

    Raises:
        CollectionsError: VALUES_MISSING naming every product without values of its own and its count of accounts.
    """
    if not parameters.in_order:
        return _flat_values(parameters, product, bucket)
    known = parameters.by_product()
    place = product_places(product, tuple(known))
    if (place < 0).any():
        raise missing_values(product[place < 0], tuple(known))
    held = list(known.values())

    def column(name: str) -> Floats:
        return np.array([getattr(each, name) for each in held], dtype=np.float64)[place]

    stay_value = np.array([each.stay_value for each in held], dtype=np.float64).reshape(len(held), BUCKET_COUNT)
    return AccountValues(
        loss_given_default=column("loss_given_default"),
        credit_conversion_factor=column("credit_conversion_factor"),
        redefault_probability=column("redefault_probability"),
        stay_payment_share=column("stay_payment_share"),
        stay_value=stay_value[place, bucket],
        cure_days=column("cure_days"),
        stay_days=column("stay_days"),
        default_days=column("default_days"),
    )


def product_places(product: NDArray[np.bytes_], names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the place of each account's product among names, int64 (n,), -1 for one that is not there."""
    place = np.full(product.shape, -1, dtype=np.int64)
    for index, name in enumerate(names):
        place[product == name.encode()] = index
    return place


def missing_values(product: NDArray[np.bytes_], known: tuple[str, ...]) -> CollectionsError:
    """Return the refusal of accounts whose products have no values: bytes (m,), m at least 1."""
    names, counts = np.unique(product, return_counts=True)
    told = [f"{name.decode() or '(empty)'} ({count:,} account(s))" for name, count in zip(names[:20], counts, strict=False)]
    remedy = (
        "Give values for it, each with its source: save them with scripts/parameters.py and have a second person approve them, "
        "or send them with the call; scripts/roll_rates.py measures them. There are values for "
        f"{', '.join(known[:20]) or 'no product'}."
    )
    found = tuple(FieldViolation("value_parameters.products", f"no values are in force for {one}.", remedy) for one in told)
    message = f"Nothing is valued: no values are in force for {', '.join(told)}. {remedy}"
    return CollectionsError(Reason.VALUES_MISSING, message, found)


def _flat_values(parameters: ValueParameters, product: NDArray[np.bytes_], bucket: NDArray[np.int64]) -> AccountValues:
    def same(value: float) -> Floats:
        return np.full(product.shape, value, dtype=np.float64)

    return AccountValues(
        loss_given_default=_by_product(product, parameters.loss_given_default),
        credit_conversion_factor=_by_product(product, parameters.credit_conversion_factor),
        redefault_probability=same(parameters.redefault_probability),
        stay_payment_share=same(parameters.stay_payment_share),
        stay_value=np.asarray(parameters.stay_value, dtype=np.float64)[bucket],
        cure_days=same(parameters.cure_days),
        stay_days=same(parameters.stay_days),
        default_days=same(parameters.default_days),
    )


def _by_product(products: NDArray[np.bytes_], table: Mapping[str, float]) -> Floats:
    result = np.full(products.shape, table[""], dtype=np.float64)
    for product, value in table.items():
        if product:
            result[products == product.encode()] = value
    return result
