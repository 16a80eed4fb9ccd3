"""Orders of accounts side by side on one log: what each would have been worth, over nobody and beside expected value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.contact_log import LogSource
from collections_opt.core.evaluation.logged_rewards import Reward
from collections_opt.core.evaluation.policy_value import (
    LoggedActions,
    PolicyEstimate,
    doubly_robust,
    doubly_robust_gain,
    ips,
    snips,
)
from collections_opt.core.evaluation.uplift import UpliftCurve
from collections_opt.core.problem.assignment import UNASSIGNED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXPECTED_VALUE_PLANNED = "EXPECTED_VALUE_PLANNED_EFFECTS"
"""Names expected value under the plan's effects, beside that under a learned model's."""


@dataclass(frozen=True)
class OrderValue:
    """What one order would have been worth; money in minor units per account of the log that the holdout could draw.

    Attributes:
        order: name.
        worked_count: accounts it works in the whole portfolios.
        logged_count: randomised rows that it works.
        estimates: IPS, SNIPS and DR of its value.
        gain: DR over contacting nobody; effective rows are of those it works.
        behind: DR of expected value over this order, None where the two differ on too few rows.
        refusal: why there is no figure, with the remedy; empty where there is.
    """

    order: str
    worked_count: int
    logged_count: int
    estimates: tuple[PolicyEstimate, ...] = ()
    gain: PolicyEstimate | None = None
    behind: PolicyEstimate | None = None
    refusal: str = ""


@dataclass(frozen=True)
class PolicyEvaluation:
    """The answer.

    Attributes:
        plan: id and version.
        effects: versions of the effects that ranked.
        outcome_models: versions that scored.
        reward: which money counts.
        currency_code: of all money.
        portfolios: ids.
        as_of_dates: of the portfolios; their logs tell what followed.
        sources: where the logs came from; empty where nobody said.
        grades: evidence of the effects that ranked, by queue.
        account_count: accounts of the portfolios.
        randomised_count: rows judged on.
        orders: expected value first.
        curves: of cures added, by the order of contact.
    """

    plan: str
    effects: tuple[str, ...]
    outcome_models: tuple[str, ...]
    reward: Reward
    currency_code: str
    portfolios: tuple[str, ...]
    as_of_dates: tuple[date, ...]
    sources: tuple[LogSource, ...]
    grades: Mapping[str, str]
    account_count: int
    randomised_count: int
    orders: tuple[OrderValue, ...]
    curves: Mapping[str, UpliftCurve]

    @property
    def simulated(self) -> bool:
        """Whether any log came from a simulated lender."""
        return any(source.simulated for source in self.sources)

    @property
    def answered(self) -> bool:
        """Whether any order has a figure."""
        return any(not order.refusal for order in self.orders)


def judge_order(name: str, worked: int, policies: Mapping[str, Ints], logged: LoggedActions, predicted: Floats) -> OrderValue:
    """Return the value of one of several policies on the same log; the first is expected value.

    Args:
        name: of the policy.
        worked: accounts it works in the whole portfolios.
        policies: int64 (n,) action per row and policy.
        logged: what was done.
        predicted: float64 (n, 1 + q) as ``doubly_robust``.
    """
    policy, first = policies[name], next(iter(policies.values()))
    logged_count = int((policy != UNASSIGNED).sum())
    try:
        estimates = (ips(logged, policy), snips(logged, policy), doubly_robust(logged, policy, predicted))
        gain = doubly_robust_gain(logged, policy, predicted)
    except CollectionsError as error:
        return OrderValue(name, worked, logged_count, refusal=f"{error.violations[0].description} {error.violations[0].remedy}")
    return OrderValue(name, worked, logged_count, estimates, gain, _behind(logged, first, policy, predicted))


def _behind(logged: LoggedActions, first: Ints, policy: Ints, predicted: Floats) -> PolicyEstimate | None:
    if (first == policy).all():
        return None
    try:
        return doubly_robust_gain(logged, first, predicted, over=policy)
    except CollectionsError:
        return None
