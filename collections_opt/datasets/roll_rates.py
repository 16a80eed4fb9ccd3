"""Roll rates, LGD and stay values read off past months, so that the value model rests on what the portfolio did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.eligibility import bucket_of
from collections_opt.core.outcomes import CURE, DEFAULT, STAY
from collections_opt.core.payoffs import BUCKET_COUNT, ValueParameters, delta, stay_value
from collections_opt.datasets.snapshots import Snapshot

Floats = NDArray[np.float64]


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
    account_count: NDArray[np.int64]


def roll_rates(snapshots: Sequence[Snapshot]) -> RollRates:
    """Return the roll rates of past months, by account, of those that were late the month before too.

    v_S is what staying late is worth, and accounts that have stayed cure far less often than accounts that have just turned late.
    """
    bucket, outcome, worse = (np.concatenate(parts) for parts in zip(*map(_stayers, snapshots), strict=True))
    after = np.minimum(bucket + worse, BUCKET_COUNT - 1)
    count = np.bincount(bucket, minlength=BUCKET_COUNT)
    stay, absorb = np.zeros((BUCKET_COUNT, BUCKET_COUNT)), np.zeros((BUCKET_COUNT, 2))
    np.add.at(stay, (bucket[outcome == STAY], after[outcome == STAY]), 1.0)
    np.add.at(absorb, (bucket[outcome == CURE], 0), 1.0)
    np.add.at(absorb, (bucket[outcome == DEFAULT], 1), 1.0)
    absorb[count == 0, 1] = 1.0
    total = np.maximum(count, 1)[:, np.newaxis]
    return RollRates(stay / total, absorb / total, count.astype(np.int64))


def _stayers(shot: Snapshot) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    columns = shot.raw.columns
    late_before = columns["status_history"][:, 1] > 0
    return bucket_of(columns["days_past_due"][late_before]), shot.outcome[late_before], shot.rolled_worse[late_before]


def measured_loss(snapshots: Sequence[Snapshot], recovered_minor: Sequence[NDArray[np.int64]]) -> dict[str, float]:
    """Return LGD by product, and of all under ``""``: one minus money recovered over balance, by money.

    Args:
        snapshots: past months.
        recovered_minor: per month, money recovered after the default of each row, discounted to it.

    Raises:
        ValueError: when nobody defaulted.
    """
    defaulted = [shot.outcome == DEFAULT for shot in snapshots]
    product = np.concatenate([shot.raw.columns["product"][rows] for shot, rows in zip(snapshots, defaulted, strict=True)])
    balance = np.concatenate([shot.raw.columns["balance_minor"][rows] for shot, rows in zip(snapshots, defaulted, strict=True)])
    money = np.concatenate([recovered[rows] for recovered, rows in zip(recovered_minor, defaulted, strict=True)])
    if not balance.size:
        raise ValueError("nobody defaulted; LGD cannot be measured")
    result = {"": float(1.0 - money.sum() / balance.sum())}
    for code in np.unique(product.astype(str)).tolist():
        mine = product == code
        result[code] = float(1.0 - money[mine].sum() / balance[mine].sum())
    return result


def measured_parameters(
    base: ValueParameters, snapshots: Sequence[Snapshot], recovered_minor: Sequence[NDArray[np.int64]]
) -> ValueParameters:
    """Return value parameters with stay values and LGD measured on past months; all else stays as in ``base``.

    Raises:
        ValueError: when nobody defaulted.
    """
    loss, rates = measured_loss(snapshots, recovered_minor), roll_rates(snapshots)
    worth = np.array([1.0 - base.redefault_probability * loss[""], 1.0 - loss[""]])
    month = float(delta(365.0 / 12.0, base.discount_rate))
    values = stay_value(rates.stay, rates.absorb, worth, month)
    return replace(base, stay_value=tuple(np.clip(values, 0.0, 1.0).tolist()), loss_given_default=loss)
