"""The lender's desk: its plan, and how it chose whom to contact: hard cases more, and a randomised holdout beside that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan, ContactEffect, Queue
from collections_opt.core.evaluation.contact_log import NO_QUEUE
from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats
from collections_opt.datasets.simulated_lender.behaviour import Behaviour
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import Draws, Mask, State

SPECIALIST_FLAGS = ("deceased", "vulnerable", "scra")
"""Flags whose accounts only the specialist queue works; every other flag stops contact."""

PLAN_ID = "simulated-desk"
CURRENCY = "USD"


@dataclass(frozen=True)
class Decision:
    """Whom the desk meant to work, whether it did, and the chances drawn by the holdout; arrays of length m."""

    queue: NDArray[np.int16]
    contacted: Mask
    propensity: Floats
    queue_propensity: Floats


def served(parameters: LenderParameters, accounts: Accounts, state: State) -> Mask:
    """Return which queues may work which accounts, bool (m, q)."""
    names = [name for name, _ in parameters.flags]
    special = accounts.flags[:, [names.index(name) for name in SPECIALIST_FLAGS]].any(axis=1)
    stopped = (
        accounts.flags[:, [i for i, name in enumerate(names) if name not in SPECIALIST_FLAGS]].any(axis=1) | state.open_promise
    )
    bucket = state.missed - 1
    columns = []
    for queue in parameters.queues:
        inside = np.isin(bucket, queue.buckets) if queue.buckets else np.ones(bucket.size, dtype=bool)
        columns.append(inside & ~stopped & (special if queue.specialist else ~special))
    return np.column_stack(columns)


def decide(
    parameters: LenderParameters, accounts: Accounts, state: State, behaviour: Behaviour, draws: Draws, hardness: Floats
) -> Decision:
    """Return what the desk does with m late accounts.

    A share of account-months is drawn into the holdout: a queue by equal chances among those that may work the account, then
    contact by a recorded chance. All others are chosen by ``hardness``, float64 (m,), part of which no column records.
    """
    open_to = served(parameters, accounts, state)
    choices = open_to.sum(axis=1)
    rank = np.floor(draws.uniform[0] * choices).astype(np.int64)
    drawn = np.argmax(np.cumsum(open_to, axis=1) > rank[:, np.newaxis], axis=1)
    preference = np.where(open_to, _preference(parameters, hardness, behaviour), -np.inf) + -np.log(-np.log(draws.taste.T))
    chosen = np.argmax(preference, axis=1)
    workable = choices > 0
    randomised = workable & (draws.uniform[2] < parameters.randomised_share)
    chance = 1.0 / (1.0 + np.exp(-(parameters.contact_intercept + parameters.contact_slope * hardness)))
    chance = np.where(randomised, parameters.holdout_propensity, chance)
    return Decision(
        queue=np.where(workable, np.where(randomised, drawn, chosen), NO_QUEUE).astype(np.int16),
        contacted=workable & (draws.uniform[3] < chance),
        propensity=np.where(randomised, parameters.holdout_propensity, np.nan),
        queue_propensity=np.where(randomised, 1.0 / np.maximum(choices, 1), np.nan),
    )


def _preference(parameters: LenderParameters, hardness: Floats, behaviour: Behaviour) -> Floats:
    """Return how much the desk likes each queue for each account: texts for easy ones, negotiators for hard and large ones."""
    slope = np.linspace(-0.8, 0.8, len(parameters.queues))
    order = np.argsort([q.theta_cure * q.right_party_rate for q in parameters.queues]).argsort()
    return hardness[:, np.newaxis] * slope[order] + 0.3 * behaviour.segments[:, [4]] * slope[order]


def _queue(queue_id: str, name: str, worked_count: float, effect: ContactEffect, **settings: object) -> Queue:
    """Return a queue with the agents who work that many accounts on average handling times."""
    made = Queue(queue_id, name, 0.0, 480.0, effect, shrinkage=0.27, occupancy=0.85, **settings)  # type: ignore[arg-type]
    minutes = float(made.handling_minutes(np.array([effect.right_party_contact_rate]))[0])
    return Queue(**{**made.__dict__, "agents": worked_count * minutes / (480.0 * 0.73 * 0.85)})


def desk_plan(worked_count: float, effective_from: date = date(2025, 1, 1)) -> CapacityPlan:
    """Return the desk's plan with minutes for about ``worked_count`` accounts; its effects are assumed, not the truth.

    Args:
        worked_count: accounts that all queues together can work, on average handling times.
        effective_from: first as-of date.
    """

    call = {"attempts": 3.0, "dial_minutes": 0.6, "wrap_minutes": 1.5, "variable_cost_per_minute_minor": 30}
    cost = {"loaded_cost_per_minute_minor": 95}
    special: dict[str, object] = {"specialisms": SPECIALIST_FLAGS, "specialist_only": True}
    queues = (
        _queue(
            "early-calls",
            "Early calls",
            0.35 * worked_count,
            ContactEffect(0.45, 0.6, 0.3, 0.85),
            talk_minutes=5.0,
            buckets=(0, 1, 2),
            **call,
            **cost,
        ),
        _queue(
            "late-calls",
            "Late calls",
            0.20 * worked_count,
            ContactEffect(0.40, 0.6, 0.4, 0.85),
            talk_minutes=8.0,
            buckets=(2, 3, 4, 5),
            **call,
            **cost,
        ),
        _queue(
            "senior-negotiators",
            "Senior negotiators",
            0.15 * worked_count,
            ContactEffect(0.45, 0.8, 0.6, 0.90),
            talk_minutes=15.0,
            **call,
            **cost,
        ),
        _queue(
            "text-reminders",
            "Text reminders",
            0.28 * worked_count,
            ContactEffect(0.60, 0.3, 0.1, 0.70),
            channel="TEXT",
            talk_minutes=0.8,
            dial_minutes=0.2,
            channel_fee_minor=2,
            variable_cost_per_minute_minor=30,
            buckets=(0, 1),
            **cost,
        ),
        _queue(
            "hardship",
            "Hardship specialists",
            0.02 * worked_count,
            ContactEffect(0.50, 0.6, 0.6, 0.95),
            talk_minutes=18.0,
            **call,
            **cost,
            **special,
        ),
    )
    return CapacityPlan(PLAN_ID, 1, effective_from, CURRENCY, queues)
