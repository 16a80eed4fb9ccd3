"""The bundled LendingClub loans that were charged off: what was known then, and what was recovered after.

Exposure at default = amount - principal repaid. Recoveries, fees and settlements are outcomes and never features. Recoveries
without a settlement cluster at 10 to 14 % of exposure with a flat 18 % fee: a debt sale more than effort.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEATURES = (
    "exposure",
    "amount",
    "principal_repaid_share",
    "interest_repaid_share",
    "months_paid",
    "interest_rate",
    "installment",
    "sub_grade",
)
TRAINING_MONTHS, JUDGED_MONTH = (4, 5), 6


@dataclass(frozen=True)
class ChargedOff:
    """Charged-off loans of some issue months, n rows.

    Attributes:
        features: float64 (n, f) in the order of ``FEATURES``: money in dollars, rates in percent.
        exposure: float64 (n,) exposure at default, dollars.
        net_recovery: float64 (n,) recoveries less the collection fee, dollars, at least 0.
    """

    features: Floats
    exposure: Floats
    net_recovery: Floats


def charged_off(months: tuple[int, ...]) -> ChargedOff:
    """Return the loans issued in some months of 2015, 4 (April) to 6 (June).

    Raises:
        ValueError: for a month that is not there.
    """
    frame = _load()
    if not set(months) <= set(frame["issue_month"].unique().tolist()):
        raise ValueError(f"months {months}: only 4 to 6 are bundled")
    part = frame[frame["issue_month"].isin(months)]
    money = {name: part[f"{name}_minor"].to_numpy(dtype=np.float64) / 100 for name in _MONEY}
    exposure = np.maximum(money["loan_amount"] - money["principal_repaid"], 0.01)
    columns = (
        exposure,
        money["loan_amount"],
        money["principal_repaid"] / money["loan_amount"],
        money["interest_repaid"] / money["loan_amount"],
        part["months_paid"].to_numpy(dtype=np.float64),
        part["interest_rate_bp"].to_numpy(dtype=np.float64) / 100,
        money["installment"],
        part["sub_grade"].map(_grade_number).to_numpy(dtype=np.float64),
    )
    net = np.maximum(money["recoveries"] - money["collection_fee"], 0.0)
    return ChargedOff(np.column_stack(columns), exposure, net)


_MONEY = ("installment", "loan_amount", "principal_repaid", "interest_repaid", "recoveries", "collection_fee")


def _grade_number(sub_grade: str) -> int:
    return 5 * (ord(sub_grade[0]) - ord("A")) + int(sub_grade[1])


def _load() -> pd.DataFrame:
    folder = resources.files("collections_opt.datasets").joinpath("bundled/lending_club")
    with resources.as_file(folder.joinpath("charged_off_2015_q2.parquet")) as path:
        return pd.read_parquet(path)
