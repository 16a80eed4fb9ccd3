"""Present value of each outcome, per account (value-model section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.eligibility import bucket_of
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.limits import MAX_LIST_ITEMS
from collections_opt.core.losses import LossesOf, LossSource, account_losses, by_product
from collections_opt.core.names import list_violations, text_violation
from collections_opt.core.portfolio import Portfolio

Floats = NDArray[np.float64]
BUCKET_COUNT = 7


class CostBasis(StrEnum):
    """Which cost per minute enters the increment."""

    VARIABLE = "VARIABLE"
    """Wages are sunk: the shadow price prices minutes."""
    LOADED = "LOADED"
    """Wages included: for planning head count."""


@dataclass(frozen=True)
class ValueParameters:
    """Parameters of the value model, recorded with every ranking.

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
        loss_given_default: LGD by product, of accounts with neither their own nor a model's; "" is the default for all others.
        credit_conversion_factor: CCF by product; "" is the default for all others.
        cost_basis: which cost per minute enters.
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


def check_parameters(parameters: ValueParameters) -> None:
    """Refuse parameters outside their meaning.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault.
    """
    found: list[FieldViolation] = []

    def need(name: str, value: float, low: float, high: float) -> None:
        if not low <= value <= high:
            found.append(FieldViolation(name, f"{value:g} is outside {low:g} to {high:g}.", "Correct the value or its unit."))

    wrong_name = text_violation("version", parameters.version)
    if wrong_name:
        found.append(wrong_name)
    need("discount_rate", parameters.discount_rate, 0, 10)
    for name in ("horizon_days", "cure_days", "stay_days", "default_days"):
        need(name, getattr(parameters, name), 1, 3_660)
    need("stay_payment_share", parameters.stay_payment_share, 0, 1)
    need("redefault_probability", parameters.redefault_probability, 0, 1)
    need("stay_value.count", len(parameters.stay_value), BUCKET_COUNT, BUCKET_COUNT)
    for bucket, share in enumerate(parameters.stay_value):
        need(f"stay_value[{bucket}]", share, 0, 1)
    for name in ("loss_given_default", "credit_conversion_factor"):
        shares: Mapping[str, float] = getattr(parameters, name)
        need(f"{name}.default_count", int("" in shares), 1, 1)
        found.extend(list_violations(name, [product for product in shares if product]))
        for product, share in list(shares.items())[: MAX_LIST_ITEMS + 1]:
            need(f"{name}[{product[:40]!r}]", share, 0, 1)
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(found)} value parameter(s) at fault.", tuple(found))


def stay_value(stay: Floats, absorb: Floats, absorbing_value: Floats, monthly_discount: float) -> Floats:
    """Return v_S(b) = [(I - d Q)^-1 d R g]_b from roll rates (value-model section 3).

    Args:
        stay: Q, float64 (b, b), monthly probability bucket to bucket.
        absorb: R, float64 (b, a), monthly probability bucket to absorbing state; rows of Q and R together sum to 1.
        absorbing_value: g, float64 (a,), value of one unit in each absorbing state.
        monthly_discount: d, in (0, 1].

    Raises:
        CollectionsError: INVALID_ARGUMENT when the rows do not sum to one.
    """
    total = stay.sum(axis=1) + absorb.sum(axis=1)
    if not np.allclose(total, 1.0, atol=1e-9):
        violation = FieldViolation("roll_rates", "rows do not sum to 1.", "Give every row's full distribution.")
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(violation), (violation,))
    d = monthly_discount
    system = np.eye(stay.shape[0]) - d * stay
    return np.asarray(np.linalg.solve(system, d * absorb @ absorbing_value), dtype=np.float64)


def delta(days: float | Floats, discount_rate: float) -> Floats:
    """Return the discount factor delta(t) = (1 + r)^(-t/365), float64."""
    return np.power(1.0 + discount_rate, -np.asarray(days, dtype=np.float64) / 365.0)


@dataclass(frozen=True)
class Payoffs:
    """Present value per outcome and what of it is cash within the horizon; float64 (n,) minor units.

    Attributes:
        cure: G_C.
        stay: G_S.
        default: G_D.
        cure_cash: part of G_C paid in cash within H.
        stay_cash: part of G_S paid in cash within H.
        exposure_at_default: EAD.
        loss_given_default: LGD used.
        loss_source: uint8 (n,), a ``LossSource``: where it comes from.
        out_of_order: bool (n,), True where G_C >= G_S >= G_D does not hold (bad LGD or v_S).
    """

    cure: Floats
    stay: Floats
    default: Floats
    cure_cash: Floats
    stay_cash: Floats
    exposure_at_default: Floats
    loss_given_default: Floats
    loss_source: NDArray[np.uint8]
    out_of_order: NDArray[np.bool_]

    def losses_by_source(self) -> dict[str, int]:
        """Return how many accounts take their LGD from each source."""
        return {source.name: int((self.loss_source == source).sum()) for source in LossSource}


def exposure_at_default(portfolio: Portfolio, parameters: ValueParameters) -> Floats:
    """Return EAD = B + CCF * undrawn limit, float64 (n,) minor units; B alone where no limit is known."""
    balance = portfolio.column("balance_minor").astype(np.float64)
    undrawn = np.maximum(portfolio.column("credit_limit_minor") - balance, 0.0)
    undrawn = np.where(portfolio.is_present("credit_limit_minor"), undrawn, 0.0)
    return balance + by_product(portfolio.column("product"), parameters.credit_conversion_factor) * undrawn


def payoffs(portfolio: Portfolio, parameters: ValueParameters, losses_of: LossesOf | None = None) -> Payoffs:
    """Return G_C, G_S and G_D of every account (value-model section 3).

    Args:
        portfolio: the accounts.
        parameters: the value model.
        losses_of: a recovery model's LGD, of accounts without their own; None takes that of ``parameters``.
    """
    rate = parameters.discount_rate
    balance = portfolio.column("balance_minor").astype(np.float64)
    arrears = portfolio.arrears_minor().astype(np.float64)
    lgd, source = account_losses(portfolio, parameters.loss_given_default, losses_of)
    charge_off = portfolio.column("days_to_charge_off").astype(np.float64)
    horizon = np.full(balance.shape, float(parameters.horizon_days))
    horizon = np.where(portfolio.is_present("days_to_charge_off"), np.minimum(horizon, charge_off), horizon)
    cure_at = np.minimum(float(parameters.cure_days), horizon)
    stay_at = np.minimum(float(parameters.stay_days), horizon)
    performing = 1.0 - parameters.redefault_probability * lgd
    still_late = np.asarray(parameters.stay_value, dtype=np.float64)[bucket_of(portfolio.column("days_past_due"))]
    paid = parameters.stay_payment_share * arrears
    cure_cash = arrears * delta(cure_at, rate)
    stay_cash = paid * delta(stay_at, rate)
    cure = cure_cash + (balance - arrears) * performing * delta(cure_at, rate)
    stay = stay_cash + (balance - paid) * still_late * delta(horizon, rate)
    ead = exposure_at_default(portfolio, parameters)
    default = ead * (1.0 - lgd) * delta(float(parameters.default_days), rate)
    ordered = (cure >= stay) & (stay >= default)
    return Payoffs(cure, stay, default, cure_cash, stay_cash, ead, lgd, source, ~ordered)
