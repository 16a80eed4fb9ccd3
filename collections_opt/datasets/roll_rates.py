"""Roll rates, LGD and stay values read off past months, so that the value model rests on what the portfolio did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.eligibility import bucket_of
from collections_opt.core.outcomes import DEFAULT
from collections_opt.core.payoffs import BUCKET_COUNT, ValueParameters
from collections_opt.core.roll_rates import RollRates, Transitions, count_rates, join_transitions
from collections_opt.datasets.snapshots import Snapshot


def roll_rates(snapshots: Sequence[Snapshot]) -> RollRates:
    """Return the roll rates of past months, by account, of those that were late the month before too.

    v_S is what staying late is worth, and accounts that have stayed cure far less often than accounts that have just turned late.
    """
    return count_rates(join_transitions([_stayers(shot) for shot in snapshots]))


def _stayers(shot: Snapshot) -> Transitions:
    columns = shot.raw.columns
    rows = columns["status_history"][:, 1] > 0
    bucket = bucket_of(columns["days_past_due"][rows])
    after = np.minimum(bucket + shot.rolled_worse[rows], BUCKET_COUNT - 1)
    ids, product = (np.array(columns[name][rows].tolist(), dtype="S") for name in ("account_id", "product"))
    return Transitions(ids, product, bucket, shot.outcome[rows], after)


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
    return replace(base, stay_value=tuple(rates.stay_values(base, loss[""]).tolist()), loss_given_default=loss)
