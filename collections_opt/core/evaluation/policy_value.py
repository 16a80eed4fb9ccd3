"""What an order is worth in money: on known truth, and on logs whose chances of contact were recorded.

A policy names one action per account: a queue, or no contact. On a log it can only be judged where the log did the same:

    IPS    mean of w r,           w = 1[logged action = policy's] / chance of the logged action     (Horvitz and Thompson 1952)
    SNIPS  sum of w r / sum of w                                                                    (Hajek 1971)
    DR     mean of m(policy's) + w (r - m(logged))                                     (Dudik, Langford and Li 2011)

All are values per account, with normal 95 % intervals; they are refused when too few rows carry the weight, or when the log could
not have done what the policy does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import UNASSIGNED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_EFFECTIVE_ROWS = 100.0
"""Effective number of matched rows (Kish) below which an estimate says nothing."""

SUPPORT_ERRORS = 4.0
"""Standard errors by which the mean weight of worked rows may differ from 1."""

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class PolicyEstimate:
    """An estimated value per account with its 95 % interval.

    Attributes:
        method: IPS, SNIPS or DR.
        value: per account, in the unit of the reward.
        standard_error: of ``value``.
        low: lower end of the 95 % interval.
        high: upper end.
        row_count: rows of the log.
        matched_count: rows where the log did what the policy does.
        effective_count: (sum w)^2 / sum w^2 over them.
    """

    method: str
    value: float
    standard_error: float
    low: float
    high: float
    row_count: int
    matched_count: int
    effective_count: float


@dataclass(frozen=True)
class LoggedActions:
    """What a log did and what came of it; n rows, q queues.

    Attributes:
        action: int64 (n,) queue that contacted, ``UNASSIGNED`` where nobody did.
        chance: float64 (n,) recorded chance of that action, in (0, 1].
        reward: float64 (n,) money that followed.
        account: int64 (n,) account of each row, whose rows then count together in errors (cluster-robust); None: all differ.
    """

    action: Ints
    chance: Floats
    reward: Floats
    account: Ints | None = None

    def __post_init__(self) -> None:
        if not (self.action.shape == self.chance.shape == self.reward.shape):
            raise refuse(Reason.INVALID_ARGUMENT, "reward", "action, chance and reward differ in length.", "Send whole rows.")
        if not ((self.chance > 0) & (self.chance <= 1)).all():
            raise refuse(Reason.INVALID_ARGUMENT, "chance", "is missing or outside (0, 1].", "Judge randomised rows only.")


def ips(log: LoggedActions, policy: Ints) -> PolicyEstimate:
    """Return the inverse-propensity estimate of a policy's value.

    Raises:
        CollectionsError: INVALID_ARGUMENT when too few rows carry the weight, or the log's chances do not fit what it did.
    """
    weight = _weight(log, policy)
    return _estimate("IPS", weight * log.reward, weight, log)


def snips(log: LoggedActions, policy: Ints) -> PolicyEstimate:
    """Return the self-normalised estimate; its error is that of a ratio (delta method).

    Raises:
        CollectionsError: as ``ips``.
    """
    weight = _weight(log, policy)
    value = float((weight * log.reward).sum() / weight.sum()) if weight.any() else 0.0
    return _estimate("SNIPS", value + weight * (log.reward - value) / max(weight.mean(), 1e-300), weight, log)


def doubly_robust(log: LoggedActions, policy: Ints, predicted: Floats) -> PolicyEstimate:
    """Return the doubly robust estimate.

    Args:
        log: what was done.
        policy: int64 (n,) action per row.
        predicted: float64 (n, 1 + q) reward predicted without the row, of no contact and then of each queue.

    Raises:
        CollectionsError: as ``ips``.
    """
    weight = _weight(log, policy)
    rows = np.arange(policy.size)
    residual = log.reward - predicted[rows, log.action + 1]
    return _estimate("DR", predicted[rows, policy + 1] + weight * residual, weight, log)


def doubly_robust_gain(log: LoggedActions, policy: Ints, predicted: Floats, over: Ints | None = None) -> PolicyEstimate:
    """Return the doubly robust estimate of a policy's value over another's (contacting nobody), paired row by row.

    Only rows on which the two differ carry weight, so that the effective number is of those.

    Raises:
        CollectionsError: as ``ips``.
    """
    base = np.full_like(policy, UNASSIGNED) if over is None else over
    rows = np.arange(policy.size)
    residual = log.reward - predicted[rows, log.action + 1]
    weight, base_weight = _weight(log, policy), _weight(log, base)
    gain = predicted[rows, policy + 1] - predicted[rows, base + 1] + (weight - base_weight) * residual
    return _estimate("DR", gain, weight * (policy != base), log)


def _weight(log: LoggedActions, policy: Ints) -> Floats:
    if policy.shape != log.action.shape:
        raise refuse(Reason.INVALID_ARGUMENT, "policy", "has another number of rows than the log.", "Rank the logged accounts.")
    weight = np.where(policy == log.action, 1.0 / log.chance, 0.0)
    worked = policy != UNASSIGNED
    _check_support(weight[worked])
    return weight


def _check_support(weight: Floats) -> None:
    """Refuse weights of worked rows whose mean is not 1 within chance: actions without a chance, or chances that were others."""
    if weight.size < 2 or not weight.any():
        return
    off, error = float(weight.mean()) - 1.0, float(weight.std(ddof=1)) / np.sqrt(weight.size)
    if abs(off) > SUPPORT_ERRORS * error:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "policy",
            f"the log did what the policy does {1 + off:.2f} times as often as its recorded chances say.",
            "Judge under a plan whose queues the holdout could draw for the same accounts, and record the chances that drew.",
        )


def _estimate(method: str, psi: Floats, weight: Floats, log: LoggedActions) -> PolicyEstimate:
    effective = float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0
    if effective < MIN_EFFECTIVE_ROWS:
        needed = (
            f"about {psi.size * MIN_EFFECTIVE_ROWS / effective:,.0f} randomised rows" if effective else "more randomised rows"
        )
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "policy",
            f"only {effective:.0f} effective rows of {psi.size} did what the policy does; {MIN_EFFECTIVE_ROWS:.0f} are needed.",
            f"Log more randomised contacts ({needed} in all), or judge a policy nearer to the log's.",
        )
    value = float(psi.mean())
    error = _standard_error(psi - value, log.account)
    matched = int((weight > 0).sum())
    return PolicyEstimate(
        method, value, error, value - NORMAL_95 * error, value + NORMAL_95 * error, int(psi.size), matched, effective
    )


def _standard_error(deviation: Floats, account: Ints | None) -> float:
    sums = deviation if account is None else np.bincount(np.unique(account, return_inverse=True)[1], weights=deviation)
    clusters = sums.size
    return float(np.sqrt((sums**2).sum() * clusters / max(clusters - 1, 1)) / deviation.size)
