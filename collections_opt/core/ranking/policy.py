"""What decides when no model may: a policy's assumed rates per bucket, and the order balance times bucket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.core.value.outcomes import OutcomeProbabilities

MODEL_FREE = (Ordering.BALANCE, Ordering.BALANCE_BUCKET, Ordering.DAYS_PAST_DUE, Ordering.RANDOM)
"""Orders that need no probability."""


@dataclass(frozen=True)
class PolicyRates:
    """Assumed rates of cure and default within the horizon, by bucket 0 to 6.

    Attributes:
        version: recorded as the model version of what was scored by them.
        cure: share that cures, 7 values.
        default: share that defaults, 7 values.
    """

    version: str
    cure: tuple[float, ...]
    default: tuple[float, ...]

    def __post_init__(self) -> None:
        pairs = list(zip(self.cure, self.default, strict=False))
        good = len(self.cure) == len(self.default) == 7 and all(c >= 0 and d >= 0 and c + d <= 1 for c, d in pairs)
        if not good:
            raise refuse(Reason.INVALID_ARGUMENT, "policy_rates", "are not shares of seven buckets.", "Give 7 rates of each.")


def policy_probabilities(portfolio: Portfolio, rates: PolicyRates) -> OutcomeProbabilities:
    """Return the assumed probabilities of each account's bucket, (n, 3)."""
    bucket: NDArray[np.int64] = bucket_of(portfolio.column("days_past_due"))
    cure, default = np.array(rates.cure)[bucket], np.array(rates.default)[bucket]
    probability = np.column_stack([cure, default, 1.0 - cure - default])
    return OutcomeProbabilities(probability, f"policy/{rates.version}", "assumed")


def without_a_model(ordering: Ordering) -> Ordering:
    """Return the order to rank by when no model may serve: the one asked for if it needs none, else balance times bucket."""
    return ordering if ordering in MODEL_FREE else Ordering.BALANCE_BUCKET
