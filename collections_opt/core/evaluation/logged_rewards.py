"""What a logged account-month was worth, and what it is predicted to be worth under every action; net of the contact's cost."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.core.value.effects import ContactEffects
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.core.value.payoffs import CostBasis, Payoffs, ValueParameters
from collections_opt.core.value.valuation import contacted_probability

Floats = NDArray[np.float64]


class Reward(StrEnum):
    """Which money counts."""

    VALUE = "VALUE"
    """Present value of the outcome that came, by the value model: a default prevented counts."""
    CASH = "CASH"
    """Money paid by the horizon of the log."""


def logged_reward(
    log: ContactLog, worth: Payoffs, rows: NDArray[np.int64], plan: CapacityPlan, parameters: ValueParameters, reward: Reward
) -> Floats:
    """Return what came of n logged rows less what their contact took, float64 (n,) minor units.

    Args:
        log: n rows whose queues are the plan's.
        worth: payoffs of the whole portfolio.
        rows: int64 (n,) row in the portfolio.
        plan: handling times and costs; talk time counts where the person was reached.
        parameters: which cost per minute enters.
        reward: which money counts.
    """
    money = log.cash_minor.astype(np.float64) if reward is Reward.CASH else payoff_table(worth)[rows, log.outcome]
    cost = np.zeros(rows.size)
    for index, queue in enumerate(plan.queues):
        mine = log.contacted & (log.queue == index)
        cost[mine] = _cost(queue, log.right_party[mine].astype(np.float64), parameters)
    return money - cost


def predicted_reward(
    probability: Floats, effects: ContactEffects, worth: Payoffs, plan: CapacityPlan, parameters: ValueParameters, reward: Reward
) -> Floats:
    """Return the expected reward of no contact and then of every queue, float64 (n, 1 + q) minor units, for a whole portfolio.

    Args:
        probability: float64 (n, 3) without contact.
        effects: of the portfolio.
        worth: payoffs of the portfolio.
        plan: queues, times and costs.
        parameters: which cost per minute enters.
        reward: which money counts.
    """
    table = payoff_table(worth) if reward is Reward.VALUE else cash_table(worth)
    everyone = slice(0, probability.shape[0])
    columns = [(probability * table).sum(axis=1)]
    for index, queue in enumerate(plan.queues):
        effect = effects.block(everyone, index, probability)
        money = (contacted_probability(probability, effect) * table).sum(axis=1)
        columns.append(money - _cost(queue, effect.rpc_rate, parameters))
    return np.column_stack(columns)


def payoff_table(worth: Payoffs) -> Floats:
    """Return the present value of every outcome, float64 (n, 3) minor units, by outcome code."""
    return _by_outcome(worth.cure, worth.stay, worth.default)


def cash_table(worth: Payoffs) -> Floats:
    """Return the cash within the horizon of every outcome, float64 (n, 3) minor units, by outcome code."""
    return _by_outcome(worth.cure_cash, worth.stay_cash, np.zeros_like(worth.cure_cash))


def _by_outcome(cure: Floats, stay: Floats, default: Floats) -> Floats:
    table = np.empty((cure.size, 3))
    table[:, CURE], table[:, STAY], table[:, DEFAULT] = cure, stay, default
    return table


def _cost(queue: Queue, rate: Floats, parameters: ValueParameters) -> Floats:
    loaded = parameters.cost_basis is CostBasis.LOADED
    per_minute = queue.loaded_cost_per_minute_minor if loaded else queue.variable_cost_per_minute_minor
    return per_minute * queue.handling_minutes(rate) + queue.channel_fee_minor
