"""Expected recovery value and the increment of contact over no contact (value-model sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_HANDLING_SECONDS
from collections_opt.core.problem.assignment import INELIGIBLE
from collections_opt.core.rules.eligibility import Eligibility
from collections_opt.core.value.effects import ContactEffects, ProbabilityChange, QueueEffect, at_attempts
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY, OutcomeProbabilities
from collections_opt.core.value.payoffs import CostBasis, Floats, Payoffs, ValueParameters

CHUNK_ROWS = 65_536
_INT32_MAX = float(np.iinfo(np.int32).max)


@dataclass(frozen=True)
class Increment:
    """The increment of one queue over no contact for m accounts; float64 (m,), money in minor units.

    Attributes:
        cure_shift: dp_C.
        default_shift: -dp_D, positive when contact prevents defaults.
        minutes: expected handling minutes h.
        cost: c, variable or loaded, with the channel fee.
        from_cure: dp_C (G_C - G_S).
        from_default: (-dp_D) (G_S - G_D).
        cash: change of expected cash within the horizon, before cost.
    """

    cure_shift: Floats
    default_shift: Floats
    minutes: Floats
    cost: Floats
    from_cure: Floats
    from_default: Floats
    cash: Floats

    @property
    def value(self) -> Floats:
        """D = dp_C (G_C - G_S) + (-dp_D)(G_S - G_D) - c, float64 (m,) minor units."""
        return self.from_cure + self.from_default - self.cost

    @property
    def kept(self) -> Floats:
        """Value kept: what of the increment before cost is not cash within the horizon."""
        return self.from_cure + self.from_default - self.cash


@dataclass(frozen=True)
class ValueMatrix:
    """What the solver sees.

    Attributes:
        increment: int32 (n, q) D in minor units; ``INELIGIBLE`` where blocked.
        seconds: uint16 (n, q) handling time, rounded up.
    """

    increment: NDArray[np.int32]
    seconds: NDArray[np.uint16]


def contacted_probability(probability: Floats, effect: QueueEffect) -> Floats:
    """Return p(q), float64 (m, 3), of accounts that a queue works; rows stay probabilities that sum to one.

    An effect given as a change is added: the right-party rate is in it already, and serves for minutes only. Changes that leave
    the simplex end on its edge, default first. Any other effect is a shift of log-odds given a right-party contact:

        p(q) = (1 - rpc) p(0) + rpc p(RPC, q)

    p(RPC): odds cure:stay times exp(theta_cure), odds default:stay times exp(-theta_default), renormalised.
    """
    if effect.change is not None:
        return _changed(probability, effect.change)
    weight = probability.copy()
    weight[:, CURE] *= np.exp(effect.theta_cure)
    weight[:, DEFAULT] *= np.exp(-effect.theta_default)
    weight /= weight[:, [CURE]] + weight[:, [DEFAULT]] + weight[:, [STAY]]
    rate = effect.rpc_rate[:, np.newaxis]
    return np.asarray((1.0 - rate) * probability + rate * weight, dtype=np.float64)


def _changed(probability: Floats, change: ProbabilityChange) -> Floats:
    after = np.empty_like(probability)
    after[:, DEFAULT] = np.clip(probability[:, DEFAULT] + change.default, 0.0, 1.0)
    after[:, CURE] = np.clip(probability[:, CURE] + change.cure, 0.0, 1.0 - after[:, DEFAULT])
    after[:, STAY] = np.maximum(1.0 - after[:, CURE] - after[:, DEFAULT], 0.0)
    return after


def increment(probability: Floats, effect: QueueEffect, queue: Queue, worth: Payoffs, rows: slice, basis: CostBasis) -> Increment:
    """Return the increment of one queue for a block of accounts.

    Args:
        probability: float64 (m, 3) without contact, of the block.
        effect: of the block.
        queue: times and costs.
        worth: of all accounts.
        rows: the block.
        basis: which cost per minute enters.
    """
    shift = contacted_probability(probability, effect) - probability
    minutes = effect.handling_minutes(queue)
    per_minute = queue.variable_cost_per_minute_minor if basis is CostBasis.VARIABLE else queue.loaded_cost_per_minute_minor
    return Increment(
        cure_shift=shift[:, CURE],
        default_shift=-shift[:, DEFAULT],
        minutes=minutes,
        cost=per_minute * minutes + queue.channel_fee_minor,
        from_cure=shift[:, CURE] * (worth.cure[rows] - worth.stay[rows]),
        from_default=-shift[:, DEFAULT] * (worth.stay[rows] - worth.default[rows]),
        cash=shift[:, CURE] * worth.cure_cash[rows] + shift[:, STAY] * worth.stay_cash[rows],
    )


def expected_recovery(probability: Floats, worth: Payoffs, rows: slice = slice(None)) -> Floats:
    """Return V(0) = p_C G_C + p_S G_S + p_D G_D, float64 (m,) minor units."""
    return (
        probability[:, CURE] * worth.cure[rows]
        + probability[:, STAY] * worth.stay[rows]
        + probability[:, DEFAULT] * worth.default[rows]
    )


def blocks(count: int, size: int = CHUNK_ROWS) -> Iterator[slice]:
    """Yield the row blocks of n accounts, so that nothing of size n x q is ever held in float64."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def whole_seconds(minutes: Floats) -> NDArray[np.uint16]:
    """Return minutes as whole seconds, rounded up (a queue is never overbooked by rounding), at least 1.

    Raises:
        CollectionsError: LIMIT_EXCEEDED when a handling time leaves uint16.
    """
    seconds = np.maximum(np.ceil(minutes * 60.0 - 1e-6), 1.0)
    if seconds.size and float(seconds.max()) > MAX_HANDLING_SECONDS:
        raise refuse(Reason.LIMIT_EXCEEDED, "talk_minutes", "handling time beyond 18 hours.", "Give times in minutes.")
    return seconds.astype(np.uint16)


def value_matrix(
    outcomes: OutcomeProbabilities,
    effects: ContactEffects,
    eligibility: Eligibility,
    plan: CapacityPlan,
    worth: Payoffs,
    parameters: ValueParameters,
) -> ValueMatrix:
    """Return increments and handling times of every cell, built in blocks.

    Raises:
        CollectionsError: VALUE_OVERFLOW when an increment is not finite or leaves int32.
    """
    count, queue_count = eligibility.blocked_by.shape
    values = np.empty((count, queue_count), dtype=np.int32)
    seconds = np.empty((count, queue_count), dtype=np.uint16)
    for rows in blocks(count):
        probability = outcomes.probability[rows]
        for index, queue in enumerate(plan.queues):
            effect = at_attempts(effects.block(rows, index, probability), queue.attempts, eligibility.offered(rows, index))
            cell = increment(probability, effect, queue, worth, rows, parameters.cost_basis)
            money = np.rint(cell.value)
            if not bool((np.abs(money) < _INT32_MAX).all()):
                raise refuse(Reason.VALUE_OVERFLOW, f"queues[{index}]", "an increment leaves int32.", "Check costs and balances.")
            values[rows, index] = money.astype(np.int32)
            seconds[rows, index] = whole_seconds(cell.minutes)
        values[rows][eligibility.blocked_by[rows] != 0] = INELIGIBLE
    values.flags.writeable = False
    seconds.flags.writeable = False
    return ValueMatrix(values, seconds)
