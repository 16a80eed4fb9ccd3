"""Names of the orders for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from collections_opt.core.ranking.ordering import Ordering

TITLES: Mapping[Ordering, str] = MappingProxyType(
    {
        Ordering.EXPECTED_VALUE: "expected value",
        Ordering.P_CURE: "p_cure",
        Ordering.P_DEFAULT: "p_default",
        Ordering.P_DEFAULT_BALANCE: "p_default x balance",
        Ordering.PD_LGD_EAD: "PD x LGD x EAD",
        Ordering.BALANCE: "balance",
        Ordering.DAYS_PAST_DUE: "days past due",
        Ordering.BALANCE_BUCKET: "balance x bucket (policy)",
        Ordering.RANDOM: "random",
    }
)
"""Names of the orders for people."""
