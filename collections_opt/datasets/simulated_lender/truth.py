"""What every account would do under every action: for evaluation only. Nothing that trains, scores or ranks may import this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.core.value.payoffs import delta, stay_value
from collections_opt.datasets.simulated_lender.accounts import BLOCK_ACCOUNTS, Accounts, Floats, Ints
from collections_opt.datasets.simulated_lender.behaviour import losses, settle
from collections_opt.datasets.simulated_lender.form import Form
from collections_opt.datasets.simulated_lender.lender import SimulatedLender
from collections_opt.datasets.simulated_lender.months import MonthBlock, arrears, live
from collections_opt.datasets.simulated_lender.parameters import LenderParameters

YEARLY_RATE = 0.12
CURE_DAYS, STAY_DAYS, HORIZON_DAYS = 15, 20, 30
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
    values = stay_values(lender.parameters, lender.form, month if lender.form.drifts else 0)
    parts = [revealed(lender, lender.blocks([month], block)[0], plan, values) for block in blocks]
    return PotentialOutcomes(
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in PotentialOutcomes.__dataclass_fields__}
    )


def revealed(lender: SimulatedLender, lived: MonthBlock, plan: CapacityPlan, values: Floats) -> PotentialOutcomes:
    """Return the truth of one block's month; ``values`` as ``stay_values``."""
    behaviour, draws = lived.behaviour, lived.draws
    contacted = behaviour.contacted()
    payoff = _payoffs(lender, lived, values)
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


def _performing(parameters: LenderParameters, accounts: Accounts) -> Floats:
    """Return v_P, float64 (m,): re-default falls with willingness."""
    return 1.0 - np.clip(0.25 * np.exp(-0.1 * accounts.willingness), 0.02, 0.6) * losses(parameters, accounts)


@lru_cache(maxsize=32)
def stay_values(parameters: LenderParameters, form: Form, first_month: int) -> Floats:
    """Return v_S by product, band of latent traits and bucket (value-model section 3), float64 (products, bands, buckets).

    Roll rates are counted in a calibrating book of the same world, by product, bucket and band, among accounts that were late
    the month before: what staying is worth follows from what stayers go on to do, contacts of the desk included.
    """
    discount = float(delta(365.0 / 12.0, YEARLY_RATE))
    shape = (len(parameters.products), form.band_count, max(p.charge_off_bucket for p in parameters.products))
    stayed, cured, lost, rolled, performing, loss, held = (np.zeros(shape) for _ in range(7))
    for lived in _calibrating(parameters, form, first_month):
        old = lived.state.status_history[1] > 0
        low, high, weight = form.bands(lived.accounts, lived.state)
        nearest = np.where(weight > 0.5, high, low)
        everyone = (lived.accounts.product, nearest, lived.state.missed - 1)
        for table, amount in ((performing, _performing(parameters, lived.accounts)), (loss, losses(parameters, lived.accounts))):
            np.add.at(table, everyone, amount)
        np.add.at(held, everyone, 1.0)
        cell = tuple(part[old] for part in everyone)
        for table, happened in ((cured, CURE), (lost, DEFAULT), (stayed, STAY)):
            np.add.at(table, cell, lived.outcome[old] == happened)
        np.add.at(rolled, cell, lived.rolled[old])
    # Empty and thin cells lean on the other bands: ten account-months of the band-average.
    tables = [table + 10.0 * _share(table, stayed + cured + lost) for table in (cured, lost, stayed, rolled)]
    total = tables[0] + tables[1] + tables[2]
    cure, default, roll = tables[0] / total, tables[1] / total, tables[3] / total
    worth = [_of_bands(table, held) for table in (performing, loss)]
    result = np.zeros(shape)
    for number, product in enumerate(parameters.products):
        last = product.charge_off_bucket
        for band in range(form.band_count):
            c, d, r = (table[number, band, :last] for table in (cure, default, roll))
            matrix = np.diag(1.0 - c - d - r) + np.diag(r[:-1], 1)
            matrix[-1, -1] += r[-1]
            absorbing = np.array([worth[0][number, band], 1.0 - worth[1][number, band]])
            result[number, band, :last] = stay_value(matrix, np.column_stack([c, d]), absorbing, discount)
    return result


def _calibrating(parameters: LenderParameters, form: Form, first_month: int) -> Iterator[MonthBlock]:
    size, last = _CALIBRATION_BLOCKS * BLOCK_ACCOUNTS, first_month + _CALIBRATION_MONTHS - 1
    for block in range(_CALIBRATION_BLOCKS):
        lived = live(parameters, form, _CALIBRATION_SEED, block, size, last)
        yield from (month for month in lived if month.month >= first_month)


def _of_bands(table: Floats, held: Floats) -> Floats:
    """Return the mean of a figure by product and band, float64 (products, bands); of the product where a band is empty."""
    total, count = table.sum(axis=2), held.sum(axis=2)
    product = total.sum(axis=1, keepdims=True) / np.maximum(count.sum(axis=1, keepdims=True), 1.0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1.0), product), dtype=np.float64)


def _share(table: Floats, total: Floats) -> Floats:
    """Return a count's share over all bands of willingness, (products, 1, buckets); an impossible bucket counts as default."""
    everyone = total.sum(axis=1, keepdims=True)
    return np.where(everyone > 0, table.sum(axis=1, keepdims=True) / np.maximum(everyone, 1.0), 1.0 / 3.0)


def _payoffs(lender: SimulatedLender, lived: MonthBlock, values: Floats) -> Floats:
    """Return the present value of cure, default and stay, float64 (n, 3), from the account's own traits."""
    parameters, late, state = lender.parameters, lived.accounts, lived.state
    balance, owed = state.balance, arrears(parameters, late, state)
    instalment = np.array([p.instalment_share for p in parameters.products])[late.product] * balance
    bucket, roll = state.missed - 1, lived.behaviour.roll_share
    low, high, weight = lender.form.bands(late, state)

    def value(at: Ints) -> Floats:
        return np.asarray((1.0 - weight) * values[late.product, low, at] + weight * values[late.product, high, at])

    hold_value, roll_value = value(bucket), value(np.minimum(bucket + 1, values.shape[2] - 1))
    paid_on_hold = np.minimum(1.125 * instalment, balance)
    paid_on_roll = np.minimum(0.5 * 0.8 * parameters.payment_share * instalment, balance)
    soon, later = float(delta(STAY_DAYS, YEARLY_RATE)), float(delta(HORIZON_DAYS, YEARLY_RATE))
    hold = paid_on_hold * soon + (balance - paid_on_hold) * hold_value * later
    rolled = paid_on_roll * soon + (balance - paid_on_roll) * roll_value * later
    payoff = np.empty((balance.size, 3))
    payoff[:, CURE] = (owed + (balance - owed) * _performing(parameters, late)) * float(delta(CURE_DAYS, YEARLY_RATE))
    payoff[:, DEFAULT] = balance * (1.0 - losses(parameters, late)) * later
    payoff[:, STAY] = (1.0 - roll) * hold + roll * rolled
    return payoff
