"""What every account would do under every action: for evaluation only. Nothing that trains, scores or ranks may import this."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.outcomes import CURE, DEFAULT, STAY
from collections_opt.core.payoffs import delta, stay_value
from collections_opt.core.queues import CapacityPlan
from collections_opt.datasets.simulated_lender.accounts import BLOCK_ACCOUNTS, Floats
from collections_opt.datasets.simulated_lender.behaviour import RECOVERY_SLOPE, settle
from collections_opt.datasets.simulated_lender.lender import SimulatedLender
from collections_opt.datasets.simulated_lender.months import MonthBlock, arrears, live
from collections_opt.datasets.simulated_lender.parameters import LenderParameters

YEARLY_RATE = 0.12
CURE_DAYS, STAY_DAYS, HORIZON_DAYS = 15, 20, 30
_WILLINGNESS_GRID = np.linspace(-2.0, 2.0, 9)
_CALIBRATION_SEED, _CALIBRATION_BLOCKS, _CALIBRATION_MONTHS = 0, 16, 5


@dataclass(frozen=True)
class PotentialOutcomes:
    """The truth about the late accounts of a month, aligned with its rows; q queues in the plan's order.

    Attributes:
        account_id: bytes (n,).
        alone: float64 (n, 3) probabilities without contact.
        contacted: float64 (n, q, 3) probabilities when a queue makes its attempts.
        right_party_rate: float64 (n, q).
        payoff: float64 (n, 3) true present value of each outcome, minor units.
        increment_minor: float64 (n, q) true expected increment of contact after its variable cost, minor units.
        minutes: float64 (n, q) true expected handling minutes.
        outcome: int64 (n, 1 + q) what would happen: without contact, then by queue.
    """

    account_id: NDArray[np.bytes_]
    alone: Floats
    contacted: Floats
    right_party_rate: Floats
    payoff: Floats
    increment_minor: Floats
    minutes: Floats
    outcome: NDArray[np.int64]


def potential_outcomes(lender: SimulatedLender, month: int, plan: CapacityPlan) -> PotentialOutcomes:
    """Return the truth of a month of the whole book; the plan gives handling times and costs.

    Raises:
        ValueError: when the plan's queues are not the world's.
    """
    if tuple(queue.queue_id for queue in plan.queues) != lender.parameters.queue_ids:
        raise ValueError("the plan's queues are not the world's")
    blocks = range(-(-lender.account_count // BLOCK_ACCOUNTS))
    values = _values(lender.parameters)
    parts = [_reveal(lender.parameters, lender.blocks([month], block)[0], plan, values) for block in blocks]
    return PotentialOutcomes(
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in PotentialOutcomes.__dataclass_fields__}
    )


def _reveal(parameters: LenderParameters, lived: MonthBlock, plan: CapacityPlan, values: Floats) -> PotentialOutcomes:
    behaviour, draws = lived.behaviour, lived.draws
    contacted = behaviour.contacted()
    payoff = _payoffs(parameters, lived, values)
    minutes = np.column_stack([q.handling_minutes(behaviour.right_party_rate[:, i]) for i, q in enumerate(plan.queues)])
    cost = minutes * [q.variable_cost_per_minute_minor for q in plan.queues] + [q.channel_fee_minor for q in plan.queues]
    gain = ((contacted - behaviour.alone[:, np.newaxis, :]) * payoff[:, np.newaxis, :]).sum(axis=2)
    by_queue = [
        settle(
            np.where(
                (draws.uniform[4] < behaviour.right_party_rate[:, q])[:, np.newaxis], behaviour.reached[:, q], behaviour.alone
            ),
            draws.uniform[5],
        )
        for q in range(len(plan.queues))
    ]
    ids = np.char.add("SIM-", np.char.zfill(lived.accounts.number.astype(np.str_), 9)).astype("S13")
    return PotentialOutcomes(
        account_id=ids,
        alone=behaviour.alone,
        contacted=contacted,
        right_party_rate=behaviour.right_party_rate,
        payoff=payoff,
        increment_minor=gain - cost,
        minutes=minutes,
        outcome=np.column_stack([settle(behaviour.alone, draws.uniform[5]), *by_queue]),
    )


def _loss(parameters: LenderParameters, willingness: Floats) -> Floats:
    """Return LGD by willingness: one minus the mean recovery."""
    zero, full = parameters.recovery_zero, parameters.recovery_full
    part = np.clip(parameters.recovery_mean * (1.0 + RECOVERY_SLOPE * willingness), 0.05, 0.45)
    return 1.0 - full - (1.0 - full - zero) * part


def _performing(parameters: LenderParameters, willingness: Floats) -> Floats:
    """Return v_P: re-default falls with willingness."""
    return 1.0 - np.clip(0.25 * np.exp(-0.1 * willingness), 0.02, 0.6) * _loss(parameters, willingness)


@lru_cache(maxsize=8)
def _values(parameters: LenderParameters) -> Floats:
    """Return v_S by product, willingness on the grid and bucket (value-model section 3), float64 (products, grid, buckets).

    Roll rates are counted in a calibrating book of the same world, by product, bucket and band of willingness, among accounts
    that were late the month before: what staying is worth follows from what stayers go on to do, contacts of the desk included.
    """
    month = float(delta(365.0 / 12.0, YEARLY_RATE))
    bands, buckets = _WILLINGNESS_GRID.size, max(p.charge_off_bucket for p in parameters.products)
    shape = (len(parameters.products), bands, buckets)
    stayed, cured, lost, rolled = (np.zeros(shape) for _ in range(4))
    for block in range(_CALIBRATION_BLOCKS):
        for lived in live(parameters, _CALIBRATION_SEED, block, _CALIBRATION_BLOCKS * BLOCK_ACCOUNTS, _CALIBRATION_MONTHS):
            old = lived.state.status_history[1] > 0
            band = np.abs(lived.accounts.willingness[old, np.newaxis] - _WILLINGNESS_GRID).argmin(axis=1)
            cell = (lived.accounts.product[old], band, lived.state.missed[old] - 1)
            for table, happened in ((cured, CURE), (lost, DEFAULT), (stayed, STAY)):
                np.add.at(table, cell, lived.outcome[old] == happened)
            np.add.at(rolled, cell, lived.rolled[old])
    # Empty and thin cells lean on their neighbours in willingness: ten account-months of the band-average.
    tables = [table + 10.0 * _share(table, stayed + cured + lost) for table in (cured, lost, stayed, rolled)]
    total = tables[0] + tables[1] + tables[2]
    cure, default, roll = tables[0] / total, tables[1] / total, tables[3] / total
    result = np.zeros(shape)
    for index, product in enumerate(parameters.products):
        last = product.charge_off_bucket
        for place, willingness in enumerate(_WILLINGNESS_GRID):
            c, d, r = (table[index, place, :last] for table in (cure, default, roll))
            matrix = np.diag(1.0 - c - d - r) + np.diag(r[:-1], 1)
            matrix[-1, -1] += r[-1]
            worth = np.array([_performing(parameters, willingness), 1.0 - _loss(parameters, willingness)])
            result[index, place, :last] = stay_value(matrix, np.column_stack([c, d]), worth, month)
    return result


def _share(table: Floats, total: Floats) -> Floats:
    """Return a count's share over all bands of willingness, (products, 1, buckets); an impossible bucket counts as default."""
    everyone = total.sum(axis=1, keepdims=True)
    return np.where(everyone > 0, table.sum(axis=1, keepdims=True) / np.maximum(everyone, 1.0), 1.0 / 3.0)


def _payoffs(parameters: LenderParameters, lived: MonthBlock, values: Floats) -> Floats:
    """Return the present value of cure, default and stay, float64 (n, 3), from the account's own traits."""
    late, state = lived.accounts, lived.state
    balance, owed = state.balance, arrears(parameters, late, state)
    instalment = np.array([p.instalment_share for p in parameters.products])[late.product] * balance
    trait = np.clip(late.willingness, _WILLINGNESS_GRID[0], _WILLINGNESS_GRID[-1])
    bucket, roll = state.missed - 1, lived.behaviour.roll_share
    hold_value = _interpolated(values, late.product, trait, bucket)
    roll_value = _interpolated(values, late.product, trait, np.minimum(bucket + 1, values.shape[2] - 1))
    paid_on_hold, paid_on_roll = (
        np.minimum(1.125 * instalment, balance),
        np.minimum(0.5 * 0.8 * parameters.payment_share * instalment, balance),
    )
    soon, later = float(delta(STAY_DAYS, YEARLY_RATE)), float(delta(HORIZON_DAYS, YEARLY_RATE))
    hold = paid_on_hold * soon + (balance - paid_on_hold) * hold_value * later
    rolled = paid_on_roll * soon + (balance - paid_on_roll) * roll_value * later
    payoff = np.empty((balance.size, 3))
    payoff[:, CURE] = (owed + (balance - owed) * _performing(parameters, late.willingness)) * float(delta(CURE_DAYS, YEARLY_RATE))
    payoff[:, DEFAULT] = balance * (1.0 - _loss(parameters, late.willingness)) * later
    payoff[:, STAY] = (1.0 - roll) * hold + roll * rolled
    return payoff


def _interpolated(values: Floats, product: NDArray[np.int64], trait: Floats, bucket: NDArray[np.int64]) -> Floats:
    place = np.interp(trait, _WILLINGNESS_GRID, np.arange(_WILLINGNESS_GRID.size))
    low = np.minimum(place.astype(np.int64), _WILLINGNESS_GRID.size - 2)
    weight = place - low
    mixed = (1.0 - weight) * values[product, low, bucket] + weight * values[product, low + 1, bucket]
    return np.asarray(mixed, dtype=np.float64)
