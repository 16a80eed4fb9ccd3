"""What late accounts do by themselves and what a contact in each queue does to them: the known truth of the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats, Ints
from collections_opt.datasets.simulated_lender.parameters import LenderParameters, QueueTruth
from collections_opt.datasets.simulated_lender.state import Mask, State

SEGMENTS = ("lateness", "utilisation", "recent_payer", "months_late", "size")
"""What contact effects depend on; each follows from recorded columns. Lateness and recent payment also interact."""

_INTERACTION = 0.20
REACH_WEIGHT = 0.4
MOST_PARTIAL = 0.45
RECOVERY_SLOPE = 0.1
"""Of the mean recovery share by willingness: recovery rates are hardly predictable (LendingClub, R2 about .02 out of time)."""


@dataclass(frozen=True)
class Behaviour:
    """The truth about m late accounts and q queues.

    Attributes:
        segments: float64 (m, 5), by ``SEGMENTS``.
        alone: float64 (m, 3) probabilities without contact.
        reached: float64 (m, q, 3) probabilities once the person is reached by a queue.
        right_party_rate: float64 (m, q).
        roll_share: float64 (m,) of those that stay; 0 in the last bucket, where a roll is a charge-off.
        partial_recovery: float64 (m,) mean share recovered after charge-off where a part is.
    """

    segments: Floats
    alone: Floats
    reached: Floats
    right_party_rate: Floats
    roll_share: Floats
    partial_recovery: Floats

    def contacted(self) -> Floats:
        """Return p(q) = (1 - rpc) p(0) + rpc p(RPC, q), float64 (m, q, 3)."""
        rate = self.right_party_rate[:, :, np.newaxis]
        return (1.0 - rate) * self.alone[:, np.newaxis, :] + rate * self.reached


def segments_of(accounts: Accounts, bucket: Ints, state: State) -> Floats:
    """Return the segments (m, 5), each centred near zero."""
    paid = state.payment_history[:2].sum(axis=0) > 0
    late = (state.status_history[:3] > 0).mean(axis=0)
    return np.column_stack(
        [
            (bucket - 1.5) / 1.5,
            np.clip(state.balance / np.maximum(accounts.limit, 1.0), 0.0, 1.5) - 0.7,
            paid - 0.5,
            late - 0.6,
            np.clip(np.log(state.balance / 300_000.0), -3.0, 3.0) / 1.5,
        ]
    )


def last_bucket(parameters: LenderParameters, product: Ints) -> Ints:
    """Return the bucket from which a roll is a charge-off."""
    return np.array([p.charge_off_bucket for p in parameters.products])[product] - 1


def log_odds(
    parameters: LenderParameters, product: Ints, bucket: Ints, willingness: Floats, shock: Floats
) -> tuple[Floats, Floats]:
    """Return the log-odds cure:stay and default:stay without contact; a roll out of a product's last bucket is a charge-off."""
    last = last_bucket(parameters, product)
    cure, early = np.array(parameters.cure_rate)[bucket], np.array(parameters.early_charge_off_rate)[bucket]
    roll = np.where(bucket >= last, np.array(parameters.roll_share)[bucket], 0.0)
    default = early + roll * (1.0 - cure - early)
    stay = 1.0 - cure - default
    trait = parameters.willingness_weight * willingness + parameters.shock_weight * shock
    return np.log(cure / stay) + trait, np.log(default / stay) - 0.4 * trait


def behave(parameters: LenderParameters, accounts: Accounts, state: State) -> Behaviour:
    """Return what m late accounts do by themselves and under contact by each queue."""
    bucket = state.missed - 1
    segments = segments_of(accounts, bucket, state)
    cure, default = log_odds(parameters, accounts.product, bucket, accounts.willingness, state.shock)
    paid = np.clip(state.payment_history[:4].sum(axis=0) / np.maximum(state.balance, 1.0), 0.0, 1.0)
    cure = cure + 0.6 * segments[:, 2] - 1.0 * segments[:, 1] - 0.8 * segments[:, 3] + 3.0 * (paid - 0.3)
    contacts = state.contacted.sum(axis=0).astype(np.float64)
    reached = [
        softmax(cure + up, default - down) for up, down in (_shift(q, segments, accounts, contacts) for q in parameters.queues)
    ]
    base = np.log([q.right_party_rate / (1 - q.right_party_rate) for q in parameters.queues])
    ease = REACH_WEIGHT * accounts.reach + 0.3 * segments[:, 2] - 0.2 * segments[:, 0]
    return Behaviour(
        segments=segments,
        alone=softmax(cure, default),
        reached=np.stack(reached, axis=1),
        right_party_rate=1.0 / (1.0 + np.exp(-(base[np.newaxis, :] + ease[:, np.newaxis]))),
        roll_share=roll_shares(parameters, accounts, bucket),
        partial_recovery=partial_recovery(parameters, accounts),
    )


def roll_shares(parameters: LenderParameters, accounts: Accounts, bucket: Ints) -> Floats:
    """Return the share of stays that roll, float64 (m,); 0 in the last bucket, where a roll is a charge-off."""
    rolls = np.clip(np.array(parameters.roll_share)[bucket] - 0.05 * accounts.willingness, 0.02, 0.95)
    return np.where(bucket >= last_bucket(parameters, accounts.product), 0.0, rolls)


def partial_recovery(parameters: LenderParameters, accounts: Accounts) -> Floats:
    """Return the mean share recovered where a part is, float64 (m,), by product and willingness."""
    mean = np.array(parameters.recovery("recovery_mean"))[accounts.product]
    return np.clip(mean * (1.0 + RECOVERY_SLOPE * accounts.willingness), 0.05, MOST_PARTIAL)


def losses(parameters: LenderParameters, accounts: Accounts) -> Floats:
    """Return LGD, float64 (m,): one minus the mean recovery."""
    zero, full = (np.array(parameters.recovery(name))[accounts.product] for name in ("recovery_zero", "recovery_full"))
    return np.asarray(1.0 - full - (1.0 - full - zero) * partial_recovery(parameters, accounts), dtype=np.float64)


def _shift(queue: QueueTruth, segments: Floats, accounts: Accounts, contacts: Floats) -> tuple[Floats, Floats]:
    """Return theta_cure and theta_default of a queue per account, after repeat decay."""
    together = _INTERACTION * segments[:, 0] * segments[:, 2]
    decay = queue.repeat_decay**contacts
    cure = queue.theta_cure + segments @ np.array(queue.cure_slopes) + together + queue.spread * accounts.persuadable
    default = queue.theta_default + segments @ np.array(queue.default_slopes) + 0.5 * queue.spread * accounts.persuadable
    return cure * decay, default * decay


def softmax(cure: Floats, default: Floats) -> Floats:
    """Return probabilities (m, 3) from log-odds cure:stay and default:stay."""
    weight = np.empty((cure.size, 3))
    weight[:, CURE], weight[:, DEFAULT], weight[:, STAY] = np.exp(cure), np.exp(default), 1.0
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float64)


def settle(probability: Floats, uniform: Floats) -> Ints:
    """Return the outcome a uniform number picks: default below p_D, cure above 1 - p_C, so that contact never turns both ways."""
    return np.select([uniform < probability[..., DEFAULT], uniform > 1.0 - probability[..., CURE]], [DEFAULT, CURE], STAY)


def reply(behaviour: Behaviour, queue: NDArray[np.int16], contacted: Mask, reach: Floats, uniform: Floats) -> tuple[Ints, Mask]:
    """Return the outcome under what the desk did, and where the person was reached."""
    everyone, index = np.arange(queue.size), np.maximum(queue, 0)
    reached = contacted & (reach < behaviour.right_party_rate[everyone, index])
    probability = np.where(reached[:, np.newaxis], behaviour.reached[everyone, index], behaviour.alone)
    return settle(probability, uniform), reached
