"""What a recovery after default may depend on: the feature set, each feature with the direction that the domain demands, if any.

No exposure, recovery or charge-off is among them: they are known later. The signs are those on which studies of unsecured credit
agree (Bellotti and Crook 2012; Loterman et al. 2012): smaller debts, longer relations and recent payers give back more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURES, FeatureDefinition, build_features
from collections_opt.core.accounts.own_features import OwnFeature, indicator_names, own_indicators
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


def recovery_feature_names(own: Sequence[OwnFeature] = ()) -> tuple[str, ...]:
    """Return the names of the features of a model that learned from own columns too, in matrix order."""
    return (*RECOVERY_FEATURE_NAMES, *indicator_names(own))


def recovery_signs(own: Sequence[OwnFeature] = ()) -> tuple[int, ...]:
    """Return the direction of every feature in matrix order, 0 for none: an own column's expected sign is about cures."""
    return tuple(RECOVERY_SIGN.get(name, 0) for name in recovery_feature_names(own))


def build_recovery_features(portfolio: Portfolio, own: Sequence[OwnFeature] = ()) -> NDArray[np.float32]:
    """Return the features of every account, float32 (n, f), NaN where the columns are missing.

    Args:
        portfolio: n accounts.
        own: own columns that the model learned from; they come after the others.
    """
    matrix = build_features(portfolio).matrix
    return np.hstack([matrix, own_indicators(portfolio, own).astype(np.float32)]) if own else matrix
