"""What a recovery after default may depend on: the feature set, each feature with the direction that the domain demands, if any.

No exposure, recovery or charge-off is among them: they are known later. The signs are those on which studies of unsecured credit
agree (Bellotti and Crook 2012; Loterman et al. 2012): smaller debts, longer relations and recent payers give back more.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURES, FeatureDefinition, build_features
from collections_opt.core.accounts.portfolio import Portfolio

RECOVERY_FEATURE_SET_VERSION = "recovery-1"
"""Changes whenever a feature or sign below is added, removed or computed differently, or the feature set does."""

RECOVERY_FEATURES: tuple[FeatureDefinition, ...] = FEATURES
"""In matrix order."""

RECOVERY_FEATURE_NAMES: tuple[str, ...] = FEATURE_NAMES

RECOVERY_SIGN: Mapping[str, int] = MappingProxyType(
    {
        "payment_arrears_ratio": 1,
        "payment_window_ratio": 1,
        "months_paid": 1,
        "months_since_payment": -1,
        "balance": -1,
        "months_on_book": 1,
    }
)
"""Expected direction on the recovered share; the other features have none. Days past due has none either: accounts charged off
early are bankrupt or deceased, and give back less than late ones."""


def recovery_signs() -> tuple[int, ...]:
    """Return the direction of every feature in matrix order, 0 for none."""
    return tuple(RECOVERY_SIGN.get(name, 0) for name in RECOVERY_FEATURE_NAMES)


def build_recovery_features(portfolio: Portfolio) -> NDArray[np.float32]:
    """Return the features of every account, float32 (n, f), NaN where the columns are missing."""
    return build_features(portfolio).matrix
