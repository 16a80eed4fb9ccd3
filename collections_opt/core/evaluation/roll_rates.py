"""Roll rates: what late accounts of one month are in the next, by bucket, and what staying late is therefore worth (v_S)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.core.value.payoffs import BUCKET_COUNT, delta, stay_value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Transitions:
    """What late accounts became within a month, one row per account-month.

    Attributes:
        account: bytes (n,).
        product: bytes (n,).
        bucket: int64 (n,) before.
        outcome: int64 (n,) CURE, DEFAULT or STAY.
        after: int64 (n,) bucket after, of those that stayed.
    """

    account: NDArray[np.bytes_]
    product: NDArray[np.bytes_]
    bucket: Ints
    outcome: Ints
    after: Ints

    def take(self, rows: NDArray[np.bool_] | Ints) -> Transitions:
        """Return some rows."""
        return Transitions(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class AbsorbingWorth:
    """What ends a stay is worth: cures 1 - PD_redefault LGD, defaults 1 - LGD, discounted by month at a yearly rate."""

    discount_rate: float
    redefault_probability: float
    loss_given_default: float


@dataclass(frozen=True)
class RollRates:
    """Monthly chances by bucket; rows of ``stay`` and ``absorb`` together sum to 1.

    Attributes:
        stay: Q, float64 (7, 7) bucket to bucket.
        absorb: R, float64 (7, 2) bucket to cure and to default.
        account_count: int64 (7,) account-months behind each row; a bucket without any is taken to default.
    """

    stay: Floats
    absorb: Floats
    account_count: Ints

    def stay_values(self, ends: AbsorbingWorth) -> Floats:
        """Return v_S by bucket, in [0, 1], float64 (7,)."""
        loss = ends.loss_given_default
        worth = np.array([1.0 - ends.redefault_probability * loss, 1.0 - loss])
        month = float(delta(365.0 / 12.0, ends.discount_rate))
        return np.clip(stay_value(self.stay, self.absorb, worth, month), 0.0, 1.0)


def join_transitions(parts: Sequence[Transitions]) -> Transitions:
    """Return the transitions of several months one below the other."""
    return Transitions(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in Transitions.__dataclass_fields__}
    )


def count_rates(transitions: Transitions, weight: Floats | None = None) -> RollRates:
    """Return the roll rates of transitions, each counted ``weight`` times, once by default."""
    bucket, outcome = transitions.bucket, transitions.outcome
    times = np.ones(bucket.size) if weight is None else weight
    # One column per bucket stayed in, then cure, then default.
    column = np.where(outcome == STAY, transitions.after, np.where(outcome == CURE, BUCKET_COUNT, BUCKET_COUNT + 1))
    cells = np.bincount(bucket * (BUCKET_COUNT + 2) + column, times, minlength=BUCKET_COUNT * (BUCKET_COUNT + 2))
    table = cells.reshape(BUCKET_COUNT, BUCKET_COUNT + 2)
    total = table.sum(axis=1)
    table[total == 0, BUCKET_COUNT + 1] = 1.0
    share = table / table.sum(axis=1, keepdims=True)
    count = np.bincount(bucket, minlength=BUCKET_COUNT).astype(np.int64)
    return RollRates(share[:, :BUCKET_COUNT], share[:, BUCKET_COUNT:], count)


def stay_value_intervals(transitions: Transitions, ends: AbsorbingWorth, seed: int, draws: int = 200) -> tuple[Interval, ...]:
    """Return v_S by bucket with 95 % intervals by a bootstrap of accounts: their months are not independent."""
    names, member = np.unique(transitions.account, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = np.empty((draws, BUCKET_COUNT))
    for draw in range(draws):
        times = np.bincount(rng.integers(0, max(names.size, 1), names.size), minlength=names.size)[member]
        drawn[draw] = count_rates(transitions, times.astype(np.float64)).stay_values(ends)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    values = count_rates(transitions).stay_values(ends)
    return tuple(Interval(float(v), float(a), float(b)) for v, a, b in zip(values, low, high, strict=True))


def outcome_after(known: Ints, left: NDArray[np.bool_], current: NDArray[np.bool_], charged_off: NDArray[np.bool_]) -> Ints:
    """Return what accounts became: what is known of them (-1: nothing), else what the next month shows.

    Args:
        known: int64 (n,) CURE, DEFAULT, STAY, or -1.
        left: bool (n,) not in the next month.
        current: bool (n,) there, and no longer late.
        charged_off: bool (n,) contractual charge-off fell between the months.
    """
    seen = np.where(left & charged_off, DEFAULT, np.where(left | current, CURE, STAY))
    return np.asarray(np.where(known >= 0, known, seen), dtype=np.int64)
