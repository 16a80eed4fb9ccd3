"""Roll rates, LGD and stay values read off past months, so that the value model rests on what the portfolio did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.evaluation.roll_rates import (
    AbsorbingWorth,
    Transitions,
    count_rates,
    join_transitions,
)
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.core.value.order import Terms, ordered
from collections_opt.core.value.outcomes import DEFAULT
from collections_opt.core.value.parameters import VALUED_BY_PRODUCT, ProductValues, ValueGrade, ValueSource
from collections_opt.core.value.payoffs import BUCKET_COUNT, ValueParameters
from collections_opt.datasets.snapshots import Snapshot


def late_transitions(snapshots: Sequence[Snapshot]) -> Transitions:
    """Return what became of the accounts of past months that were late the month before too.

    v_S is what staying late is worth, and accounts that have stayed cure far less often than accounts that have just turned late.
    """
    return join_transitions([_stayers(shot) for shot in snapshots])


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
    """Return value parameters by product, with stay values and LGD measured on past months; all else stays as in ``base``.

    Every product has its own LGD and its own roll rates, of all products where its late accounts are fewer than 30 in a bucket.

    Raises:
        ValueError: when nobody defaulted.
    """
    loss = measured_loss(snapshots, recovered_minor)
    transitions = late_transitions(snapshots)
    day = max(shot.raw.as_of_date for shot in snapshots)
    source = ValueSource(VALUED_BY_PRODUCT, f"roll rates and recoveries of {len(snapshots)} months", day, ValueGrade.MEASURED)
    products = {}
    for code in loss:
        if not code:
            continue
        ends = AbsorbingWorth(base.discount_rate, base.redefault_probability, loss[code])
        own = count_rates(transitions.take(transitions.product == code.encode()))
        pooled = count_rates(transitions).stay_values(ends)
        value = np.where(own.account_count >= MIN_CELL_COUNT, own.stay_values(ends), pooled)
        made = ProductValues(
            loss[code],
            base.credit_conversion_factor.get(code, base.credit_conversion_factor.get("", 0.0)),
            base.redefault_probability,
            base.stay_payment_share,
            tuple(value.tolist()),
            base.cure_days,
            base.stay_days,
            base.default_days,
            (source,),
        )
        products[code] = ordered(made, Terms(base.discount_rate, base.horizon_days))
    return replace(base, stay_value=(), loss_given_default={}, credit_conversion_factor={}, products=products, in_order=True)
