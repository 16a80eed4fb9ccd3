"""What the further forms share: probabilities put together, and the chance that a person of a queue is reached."""

from __future__ import annotations

import numpy as np

from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats, Ints
from collections_opt.datasets.simulated_lender.behaviour import (
    Behaviour,
    last_bucket,
    partial_recovery,
    roll_shares,
    segments_of,
)
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import State

Arms = list[tuple[Floats, Floats]]
"""Per queue the chances of cure and of default once the person is reached, float64 (m,) each."""


def logistic(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)), dtype=np.float64)


def chances(cure: Floats, default: Floats) -> Floats:
    """Return probabilities (m, 3) from the chance of a cure and that of a default; a cure has the first claim."""
    cure = np.clip(cure, 0.001, 0.97)
    default = np.clip(default, 0.0005, 0.995 - cure)
    made = np.empty((cure.size, 3))
    made[:, CURE], made[:, DEFAULT], made[:, STAY] = cure, default, 1.0 - cure - default
    return made


def default_alone(parameters: LenderParameters, accounts: Accounts, bucket: Ints, cure: Floats, factor: Floats) -> Floats:
    """Return the chance of a default of those that do not cure: early charge-offs, and rolls out of the last bucket."""
    early = np.array(parameters.early_charge_off_rate)[bucket] * factor
    roll = np.where(bucket >= last_bucket(parameters, accounts.product), np.array(parameters.roll_share)[bucket], 0.0)
    return np.asarray(np.clip((early + roll) * (1.0 - cure), 0.0, 0.95), dtype=np.float64)


def reached_rate(parameters: LenderParameters, accounts: Accounts, ease: Floats) -> Floats:
    """Return right-party rates (m, q): the queue's own, moved by a lasting ease of being reached and ``ease`` (m,)."""
    base = np.log([q.right_party_rate / (1 - q.right_party_rate) for q in parameters.queues])
    return logistic(base[np.newaxis, :] + (0.4 * accounts.reach + ease)[:, np.newaxis])


def behaviour(
    parameters: LenderParameters, accounts: Accounts, state: State, alone: Floats, arms: Arms, rate: Floats
) -> Behaviour:
    """Return the behaviour of m accounts from their chances alone (m, 3) and once reached."""
    bucket = state.missed - 1
    return Behaviour(
        segments_of(accounts, bucket, state),
        alone,
        np.stack([chances(cure, default) for cure, default in arms], axis=1),
        rate,
        roll_shares(parameters, accounts, bucket),
        partial_recovery(parameters, accounts),
    )


def recent_contacts(state: State) -> Floats:
    """Return contacts of the last two months, float64 (m,)."""
    return np.asarray(state.contacted.sum(axis=0), dtype=np.float64)


def paid_recently(state: State) -> Floats:
    """Return 1 where any of the last two months saw a payment, else 0."""
    return np.asarray(state.payment_history[:2].sum(axis=0) > 0, dtype=np.float64)


def utilisation(accounts: Accounts, state: State) -> Floats:
    """Return balance over the limit or amount lent."""
    return np.asarray(state.balance / np.maximum(accounts.limit, 1.0), dtype=np.float64)
