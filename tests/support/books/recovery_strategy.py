"""The bundled recovery-strategy accounts: a strategy that starts at a threshold, so that its effect can be read off."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import NDArray

THRESHOLD = 1_000.0
"""Expected recovery, in dollars, from which the bank works an account at level 1."""

LEVEL_COST = 50.0
"""Cost of one level more per account, in dollars."""


@dataclass(frozen=True)
class RecoveryStrategy:
    """Charged-off accounts; money in dollars, as published.

    Attributes:
        expected: float64 (n,) expected recovery, which decides the level.
        actual: float64 (n,) actual recovery.
        level: int64 (n,) 0 to 4.
    """

    expected: NDArray[np.float64]
    actual: NDArray[np.float64]
    level: NDArray[np.int64]


def load_recovery_strategy() -> RecoveryStrategy:
    """Return the 1,882 bundled accounts; age and sex are not read."""
    folder = resources.files("collections_opt.datasets").joinpath("bundled/recovery_strategy")
    with resources.as_file(folder.joinpath("bank_recovery_strategy.csv")) as path:
        table = pd.read_csv(path, usecols=["expected_recovery_amount", "actual_recovery_amount", "recovery_strategy"])
    return RecoveryStrategy(
        table["expected_recovery_amount"].to_numpy(np.float64),
        table["actual_recovery_amount"].to_numpy(np.float64),
        table["recovery_strategy"].str.extract(r"Level (\d)")[0].to_numpy(np.int64),
    )
