"""Present value of each outcome, per account (value-model section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.core.value.discounting import Floats, delta
from collections_opt.core.value.effects import EffectsOf, PlannedEffects
from collections_opt.core.value.losses import LossesOf, LossSource, account_losses
from collections_opt.core.value.order import TOLERANCE, check_parameters
from collections_opt.core.value.parameters import BUCKET_COUNT, AccountValues, CostBasis, ValueParameters, account_values

__all__ = [
    "BUCKET_COUNT",
    "CostBasis",
    "Floats",
    "LearnedValues",
    "Payoffs",
    "ValueParameters",
    "check_parameters",
    "delta",
    "exposure_at_default",
    "payoffs",
    "stay_value",
]


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


@dataclass(frozen=True)
class LearnedValues:
    """What models beside the outcome model say of accounts, each in place of what plan or value parameters say of all.

    Attributes:
        effects_of: what contact does; the plan's unless a model gives it.
        losses_of: a recovery model's loss given default, of accounts without their own; None takes that of the parameters.
    """

    effects_of: EffectsOf = PlannedEffects
    losses_of: LossesOf | None = None


NOTHING_LEARNED = LearnedValues()
"""Plan and value parameters decide."""


@dataclass(frozen=True)
class Payoffs:
    """Present value per outcome and what of it is cash within the horizon; float64 (n,) minor units.

    Attributes:
        cure: G_C.
        stay: G_S.
        default: G_D, less what is drawn before it.
        cure_cash: part of G_C paid in cash within H.
        stay_cash: part of G_S paid in cash within H.
        exposure_at_default: EAD.
        loss_given_default: LGD used.
        loss_source: uint8 (n,), a ``LossSource``: where it comes from.
        out_of_order: bool (n,), True where G_C >= G_S >= G_D did not hold, before it was clipped.
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


def exposure_at_default(portfolio: Portfolio, credit_conversion_factor: Floats) -> Floats:
    """Return EAD = B + CCF * undrawn limit, float64 (n,) minor units; B alone where no limit is known.

    Args:
        portfolio: n accounts.
        credit_conversion_factor: CCF, float64 (n,).
    """
    balance = portfolio.column("balance_minor").astype(np.float64)
    undrawn = np.maximum(portfolio.column("credit_limit_minor") - balance, 0.0)
    undrawn = np.where(portfolio.is_present("credit_limit_minor"), undrawn, 0.0)
    return balance + credit_conversion_factor * undrawn


def payoffs(portfolio: Portfolio, parameters: ValueParameters, learned: LearnedValues = NOTHING_LEARNED) -> Payoffs:
    """Return G_C, G_S and G_D of every account (value-model section 3).

    v_S lies as far between a default's and a cure's worth as its product's does, by the account's own LGD and horizon: staying
    late leads to cures and defaults, and an account that loses less by default loses less by staying. Where what is its own still
    breaks G_C >= G_S >= G_D, G_S is clipped to G_C and then G_D to G_S; ``out_of_order`` tells which.

    Args:
        portfolio: the accounts.
        parameters: the value model.
        learned: what models say in place of ``parameters``.

    Raises:
        CollectionsError: VALUES_MISSING naming products without values.
    """
    rate = parameters.discount_rate
    balance = portfolio.column("balance_minor").astype(np.float64)
    arrears = portfolio.arrears_minor().astype(np.float64)
    values = account_values(parameters, portfolio.column("product"), bucket_of(portfolio.column("days_past_due")))
    lgd, source = account_losses(portfolio, values.loss_given_default, learned.losses_of)
    charge_off = portfolio.column("days_to_charge_off").astype(np.float64)
    horizon = np.full(balance.shape, float(parameters.horizon_days))
    horizon = np.where(portfolio.is_present("days_to_charge_off"), np.minimum(horizon, charge_off), horizon)
    cure_at = np.minimum(values.cure_days, horizon)
    stay_at = np.minimum(values.stay_days, horizon)
    performing = 1.0 - values.redefault_probability * lgd
    paid = values.stay_payment_share * arrears
    cure_cash = arrears * delta(cure_at, rate)
    stay_cash = paid * delta(stay_at, rate)
    cure = cure_cash + (balance - arrears) * performing * delta(cure_at, rate)
    still_late = values.stay_value * delta(horizon, rate)
    if parameters.in_order:
        still_late = _between(values, lgd, cure_at, parameters)
    stay = stay_cash + (balance - paid) * still_late
    ead = exposure_at_default(portfolio, values.credit_conversion_factor)
    default = (ead * (1.0 - lgd) - _drawn(ead, balance, parameters)) * delta(values.default_days, rate)
    if not parameters.in_order:
        broken = ~((cure >= stay) & (stay >= default))
        return Payoffs(cure, stay, default, cure_cash, stay_cash, ead, lgd, source, broken)
    slack = TOLERANCE * np.maximum(balance, 0.0)
    broken = (balance > 0) & ((stay > cure + slack) | (default > np.minimum(stay, cure) + slack))
    stay = np.minimum(stay, cure)
    return Payoffs(cure, stay, np.minimum(default, stay), cure_cash, np.minimum(stay_cash, stay), ead, lgd, source, broken)


def _drawn(ead: Floats, balance: Floats, parameters: ValueParameters) -> Floats:
    """Return what is lent on between now and a default, float64 (n,) minor units: it is in the exposure, and was paid out first.

    Before 0.3.0 only its recovery was counted; rankings of then keep that meaning.
    """
    return ead - balance if parameters.in_order else np.zeros_like(balance)


def _between(values: AccountValues, lgd: Floats, cure_at: Floats, parameters: ValueParameters) -> Floats:
    """Return v_S delta(H) of each account, float64 (n,): its product's place between default and cure, on its own scale."""
    rate, days = parameters.discount_rate, float(parameters.horizon_days)
    lost = (1.0 - values.loss_given_default) * delta(values.default_days, rate)
    cured = (1.0 - values.redefault_probability * values.loss_given_default) * delta(np.minimum(values.cure_days, days), rate)
    span = cured - lost
    place = np.divide(values.stay_value * delta(days, rate) - lost, span, out=np.zeros_like(span), where=span > 0)
    own_lost = (1.0 - lgd) * delta(values.default_days, rate)
    own_cured = (1.0 - values.redefault_probability * lgd) * delta(cure_at, rate)
    return np.asarray(own_lost + place * (own_cured - own_lost), dtype=np.float64)
