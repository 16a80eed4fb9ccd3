"""What the chance of reaching the right party may depend on: the feature set, and what the account's contact history says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import FEATURES, FeatureDefinition, build_features
from collections_opt.core.accounts.own_features import OwnFeature, indicator_names, own_indicators
from collections_opt.core.accounts.portfolio import Portfolio

CONTACT_FEATURE_SET_VERSION = "contact-1"
"""Changes whenever a feature below is added, removed or computed differently, or the feature set does."""

_OWN = (
    FeatureDefinition("recent_contacts", "CONTACT", "Contacts already made in the effect window.", "log count", 0),
    FeatureDefinition("recent_attempts", "CONTACT", "Attempts on all channels within 7 days.", "log count", 0),
    FeatureDefinition("conversation_age", "CONTACT", "Days since the last conversation.", "log days", 0),
    FeatureDefinition("conversation_known", "CONTACT", "Whether there was one.", "flag", 0, may_be_missing=False),
)
CONTACT_FEATURES: tuple[FeatureDefinition, ...] = (*FEATURES, *_OWN)
"""In matrix order."""

CONTACT_FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in CONTACT_FEATURES)


def contact_feature_names(own: Sequence[OwnFeature] = ()) -> tuple[str, ...]:
    """Return the names of the features of a model that learned from own columns too, in matrix order."""
    return (*CONTACT_FEATURE_NAMES, *indicator_names(own))


def build_contact_features(portfolio: Portfolio, own: Sequence[OwnFeature] = ()) -> NDArray[np.float64]:
    """Return the contact features of every account, float64 (n, f), NaN where the columns are missing.

    Args:
        portfolio: n accounts.
        own: own columns that the model learned from; they come after the others.
    """
    known = portfolio.is_present("days_since_conversation")
    history = np.column_stack(
        [
            np.log1p(portfolio.column("contacts_in_window_count").astype(np.float64)),
            np.log1p(portfolio.column("attempts_last_7_days_count").astype(np.float64)),
            np.where(known, np.log1p(portfolio.column("days_since_conversation").astype(np.float64)), np.nan),
            known.astype(np.float64),
        ]
    )
    return np.hstack([build_features(portfolio).matrix.astype(np.float64), history, own_indicators(portfolio, own)])
