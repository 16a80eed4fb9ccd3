"""A world of four products with losses, buckets and values of their own, and heavy tails of the amounts.

A contact moves shares of the accounts that would stay to cure and of those that would default to stay; which queue moves whom
depends on the product: secured borrowers answer to people who can change the terms, and texts move only small debts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats, Traits
from collections_opt.datasets.simulated_lender.behaviour import Behaviour
from collections_opt.datasets.simulated_lender.form import Form
from collections_opt.datasets.simulated_lender.parameters import LenderParameters, ProductParameters
from collections_opt.datasets.simulated_lender.state import State
from collections_opt.datasets.simulated_lender.worlds import common

PRODUCTS = (
    ProductParameters("CREDIT_CARD", 0.55, True, 400_000, 0.6, 0.03, 0.018, 6, 2.2),
    ProductParameters("PERSONAL_LOAN", 0.20, False, 900_000, 0.6, 0.04, 0.010, 4, 2.5, 0.50, 0.05, 0.35),
    ProductParameters("AUTO_LOAN", 0.15, False, 1_800_000, 0.5, 0.03, 0.006, 4, 3.0, 0.10, 0.25, 0.45),
    ProductParameters("MORTGAGE", 0.10, False, 20_000_000, 0.6, 0.008, 0.004, 7, 2.5, 0.02, 0.60, 0.45),
)
"""Buckets of charge-off: 180 days open-end, 120 closed-end (65 FR 36903), 210 for mortgages; recoveries: choice."""

_CURE = np.array(
    [
        [0.60, 0.45, 0.35, 0.25, 0.16, 0.10, 0.06],
        [0.50, 0.35, 0.22, 0.12, 0.08, 0.06, 0.05],
        [0.70, 0.50, 0.35, 0.20, 0.12, 0.10, 0.08],
        [0.75, 0.55, 0.42, 0.32, 0.24, 0.18, 0.12],
    ]
)
_TO_CURE = np.array(
    [
        [0.30, 0.25, 0.34, 0.14, 0.20],
        [0.24, 0.26, 0.34, 0.08, 0.25],
        [0.14, 0.16, 0.30, 0.05, 0.25],
        [0.04, 0.06, 0.24, 0.02, 0.30],
    ]
)
"""Share of those that would stay that a contact of each queue makes cure, by product."""

_FROM_DEFAULT = np.array(
    [
        [0.05, 0.12, 0.25, 0.00, 0.30],
        [0.05, 0.15, 0.30, 0.00, 0.35],
        [0.10, 0.25, 0.45, 0.00, 0.40],
        [0.05, 0.10, 0.50, 0.00, 0.55],
    ]
)
"""Share of those that would default that a contact keeps."""


def product_parameters(base: LenderParameters) -> LenderParameters:
    """Return a lender of four products whose buckets reach 180 days and more."""
    return replace(
        base,
        products=PRODUCTS,
        cure_rate=(*base.cure_rate, 0.15),
        early_charge_off_rate=(*base.early_charge_off_rate, 0.05),
        roll_share=(0.45, 0.40, 0.45, 0.50, 0.55, 0.60, 0.60),
        delinquency_flow=0.06,
    )


@dataclass(frozen=True)
class Products(Form):
    """The form of shares moved by product and size; ``latent`` holds how much a person can be moved."""

    band_count: ClassVar[int] = 9

    def traits(self, normal: Floats, rng: np.random.Generator) -> Traits:
        """Return willingness, and a latent readiness."""
        return Traits(normal, np.zeros(normal.size, dtype=np.int64), rng.standard_normal((normal.size, 2)))

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:  # noqa: ARG002
        """Return chances by product and bucket; large debts are harder to cure and harder to move."""
        bucket, product = state.missed - 1, accounts.product
        size = np.log(state.balance / np.array([p.limit_median_minor for p in parameters.products])[product])
        cure = _CURE[product, bucket] * np.exp(0.25 * accounts.willingness + 0.15 * state.shock - 0.12 * size)
        cure = np.clip(cure + 0.05 * common.paid_recently(state), 0.01, 0.92)
        factor = np.exp(-0.3 * accounts.willingness) * np.array([1.0, 1.3, 1.0, 0.3])[product]
        default = common.default_alone(parameters, accounts, bucket, cure, factor)
        moved = common.logistic(0.8 * accounts.latent[:, 0]) * 2.0 * np.exp(-0.25 * np.maximum(size, -1.0))
        moved = moved * (0.5 + 0.5 * common.paid_recently(state)) * 0.8 ** common.recent_contacts(state)
        arms: common.Arms = []
        for index in range(len(parameters.queues)):
            kept = np.clip(_FROM_DEFAULT[product, index] * moved, 0.0, 0.9) * default
            stays = 1.0 - cure - default
            cured = np.clip(_TO_CURE[product, index] * moved, 0.0, 0.9) * stays
            arms.append((cure + cured, default - kept))
        rate = common.reached_rate(parameters, accounts, 0.2 * common.paid_recently(state) - 0.1 * bucket)
        return common.behaviour(parameters, accounts, state, common.chances(cure, default), arms, rate)

    def turning(self, accounts: Accounts, shock: Floats) -> Floats:
        """Return that secured debts turn late less often."""
        secured = np.isin(accounts.product, (2, 3))
        return np.asarray(-0.8 * accounts.willingness - 0.4 * shock - 0.5 * secured, dtype=np.float64)
