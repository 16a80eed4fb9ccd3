"""Value parameters between message and core."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from collections_opt.api.v1 import value_parameters_pb2 as pb
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.value.parameters import NO_FLAT_VALUES, ProductValues, ValueGrade, ValueSource
from collections_opt.core.value.payoffs import CostBasis, ValueParameters
from collections_opt.wire.common import read_date, read_enum, write_date, write_enum

_SAME = (
    "version",
    "discount_rate",
    "horizon_days",
    "cure_days",
    "stay_days",
    "default_days",
    "stay_payment_share",
    "redefault_probability",
    "loss_given_default",
    "credit_conversion_factor",
    "cost_basis",
    "products",
)

_BY_PRODUCT = (
    "loss_given_default",
    "credit_conversion_factor",
    "redefault_probability",
    "stay_payment_share",
    "cure_days",
    "stay_days",
    "default_days",
)

FLAT_FIELDS = (
    "cure_days",
    "stay_days",
    "default_days",
    "stay_payment_share",
    "stay_values",
    "redefault_probability",
    "loss_given_default",
    "credit_conversion_factor",
)
"""Fields of a message that ``products`` takes the place of."""

HEADS: Mapping[str, str] = MappingProxyType(
    {name: f"value_parameters.{name}" for name in _SAME} | {"stay_value": "value_parameters.stay_values"}
)
"""Where the core's parameters are in a request."""


def read_parameters(message: pb.ValueParameters) -> ValueParameters:
    """Return all parameters of a message; their bounds are the core's to check. The order of payoffs is a condition on them.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing cost basis, and for values beside ``products`` that would be ignored.
    """
    common: dict[str, Any] = {
        "version": message.version,
        "discount_rate": message.discount_rate,
        "horizon_days": message.horizon_days,
        "cost_basis": CostBasis(read_enum(pb.CostBasis.DESCRIPTOR, message.cost_basis, "value_parameters.cost_basis")),
        "in_order": True,
    }
    if message.products:
        _refuse_ignored(message)
        products = {name: _read_product(name, values) for name, values in message.products.items()}
        return ValueParameters(**common, **NO_FLAT_VALUES, products=products)
    return ValueParameters(
        **common,
        cure_days=message.cure_days,
        stay_days=message.stay_days,
        default_days=message.default_days,
        stay_payment_share=message.stay_payment_share,
        stay_value=tuple(message.stay_values),
        redefault_probability=message.redefault_probability,
        loss_given_default=dict(message.loss_given_default),
        credit_conversion_factor=dict(message.credit_conversion_factor),
    )


def write_parameters(parameters: ValueParameters) -> pb.ValueParameters:
    """Return parameters as a message; values of all products alike only where there are none by product."""
    message = pb.ValueParameters(
        version=parameters.version,
        discount_rate=parameters.discount_rate,
        horizon_days=parameters.horizon_days,
        cost_basis=write_enum(pb.CostBasis.DESCRIPTOR, parameters.cost_basis),
        products={name: _write_product(values) for name, values in parameters.products.items()},
    )
    if not parameters.products:
        message.MergeFrom(_write_flat(parameters))
    return message


def _write_flat(parameters: ValueParameters) -> pb.ValueParameters:
    return pb.ValueParameters(
        cure_days=parameters.cure_days,
        stay_days=parameters.stay_days,
        default_days=parameters.default_days,
        stay_payment_share=parameters.stay_payment_share,
        stay_values=parameters.stay_value,
        redefault_probability=parameters.redefault_probability,
        loss_given_default=parameters.loss_given_default,
        credit_conversion_factor=parameters.credit_conversion_factor,
    )


def _refuse_ignored(message: pb.ValueParameters) -> None:
    given = {field.name for field, _ in message.ListFields()}
    found = tuple(
        FieldViolation(f"value_parameters.{name}", "is set beside products, whose values stand.", "Leave it out, or products.")
        for name in FLAT_FIELDS
        if name in given
    )
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), found)


def _read_product(name: str, message: pb.ProductValues) -> ProductValues:
    path = f"value_parameters.products[{name[:40]!r}].sources"
    sources = (
        ValueSource(
            tuple(source.value_names),
            source.text,
            read_date(source.as_of_date, f"{path}[{index}].as_of_date"),
            ValueGrade(read_enum(pb.ValueGrade.DESCRIPTOR, source.grade, f"{path}[{index}].grade")),
        )
        for index, source in enumerate(message.sources)
    )
    return ProductValues(
        **{field: getattr(message, field) for field in _BY_PRODUCT},
        stay_value=tuple(message.stay_values),
        sources=tuple(sources),
        stay_value_low=tuple(message.stay_values_low),
        stay_value_high=tuple(message.stay_values_high),
    )


def _write_product(values: ProductValues) -> pb.ProductValues:
    return pb.ProductValues(
        **{field: getattr(values, field) for field in _BY_PRODUCT},
        stay_values=values.stay_value,
        stay_values_low=values.stay_value_low,
        stay_values_high=values.stay_value_high,
        sources=[
            pb.ValueSource(
                value_names=source.of,
                text=source.text,
                as_of_date=write_date(source.as_of),
                grade=write_enum(pb.ValueGrade.DESCRIPTOR, source.grade),
            )
            for source in values.sources
        ],
    )
