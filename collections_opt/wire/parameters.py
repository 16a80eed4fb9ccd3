"""Value parameters between message and core."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from collections_opt.api.v1 import value_parameters_pb2 as pb
from collections_opt.core.payoffs import CostBasis, ValueParameters
from collections_opt.wire.common import read_enum, write_enum

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
)

HEADS: Mapping[str, str] = MappingProxyType(
    {name: f"value_parameters.{name}" for name in _SAME} | {"stay_value": "value_parameters.stay_values"}
)
"""Where the core's parameters are in a request."""


def read_parameters(message: pb.ValueParameters) -> ValueParameters:
    """Return all parameters of a message; their bounds are the core's to check.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing cost basis.
    """
    return ValueParameters(
        version=message.version,
        discount_rate=message.discount_rate,
        horizon_days=message.horizon_days,
        cure_days=message.cure_days,
        stay_days=message.stay_days,
        default_days=message.default_days,
        stay_payment_share=message.stay_payment_share,
        stay_value=tuple(message.stay_values),
        redefault_probability=message.redefault_probability,
        loss_given_default=dict(message.loss_given_default),
        credit_conversion_factor=dict(message.credit_conversion_factor),
        cost_basis=CostBasis(read_enum(pb.CostBasis.DESCRIPTOR, message.cost_basis, "value_parameters.cost_basis")),
    )


def write_parameters(parameters: ValueParameters) -> pb.ValueParameters:
    """Return parameters as a message."""
    return pb.ValueParameters(
        version=parameters.version,
        discount_rate=parameters.discount_rate,
        horizon_days=parameters.horizon_days,
        cure_days=parameters.cure_days,
        stay_days=parameters.stay_days,
        default_days=parameters.default_days,
        stay_payment_share=parameters.stay_payment_share,
        stay_values=parameters.stay_value,
        redefault_probability=parameters.redefault_probability,
        loss_given_default=parameters.loss_given_default,
        credit_conversion_factor=parameters.credit_conversion_factor,
        cost_basis=write_enum(pb.CostBasis.DESCRIPTOR, parameters.cost_basis),
    )
