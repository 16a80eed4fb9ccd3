"""A world of latent types with thresholds: contact helps who forgot or needs a plan and harms who resists.

No effect is a shift of log-odds. The type is in no column; columns that follow from it tell it in part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats, Ints, Traits
from collections_opt.datasets.simulated_lender.behaviour import Behaviour
from collections_opt.datasets.simulated_lender.form import Form, whole_bands
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import State
from collections_opt.datasets.simulated_lender.worlds import common

SELF_CURER, FORGETFUL, NEEDS_PLAN, CANNOT_PAY, RESISTS = range(5)
SHARES = (0.34, 0.22, 0.16, 0.16, 0.12)
_WILLINGNESS = np.array([0.8, 0.6, -0.4, -1.3, -0.6])
_TURNING = np.array([0.0, 0.8, 0.4, 0.3, 0.2])
_CURE = np.array(
    [
        [0.85, 0.70, 0.55, 0.40, 0.25, 0.18],
        [0.35, 0.32, 0.28, 0.22, 0.15, 0.10],
        [0.18, 0.15, 0.12, 0.08, 0.06, 0.04],
        [0.06, 0.04, 0.03, 0.02, 0.01, 0.01],
        [0.35, 0.30, 0.25, 0.18, 0.12, 0.08],
    ]
)
_DEFAULT_FACTOR = np.array([0.3, 0.5, 1.0, 2.5, 1.2])
_REMINDS = (0.45, 0.40, 0.45, 0.35, 0.25)
"""What a reminder by each queue adds to the cure of a person who forgot."""

_PLANS = (0.05, 0.12, 0.42, 0.00, 0.40)
"""What each queue's conversation adds to the cure of a person who needs a plan."""

_SMALL_ARREARS = 0.15
"""Of the limit: a person who forgot pays this much at once; more needs more than a reminder."""


@dataclass(frozen=True)
class LatentTypes(Form):
    """The form of latent types."""

    band_count: ClassVar[int] = len(SHARES)

    def traits(self, normal: Floats, rng: np.random.Generator) -> Traits:
        """Return types, and a willingness that follows from them in part."""
        kind = np.searchsorted(np.cumsum(SHARES)[:-1], rng.random(normal.size), side="right").astype(np.int64)
        return Traits(_WILLINGNESS[kind] + 0.5 * normal, kind, rng.standard_normal((normal.size, 2)))

    def turning(self, accounts: Accounts, shock: Floats) -> Floats:
        """Return that people who forget turn late most often."""
        return np.asarray(_TURNING[accounts.kind] - 0.3 * shock, dtype=np.float64)

    def bands(self, accounts: Accounts, state: State) -> tuple[Ints, Ints, Floats]:  # noqa: ARG002 - the form's signature
        """Return the types."""
        return whole_bands(accounts.kind)

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:  # noqa: ARG002
        """Return chances by type; what is added adds to chances, above and below thresholds."""
        bucket, kind = state.missed - 1, accounts.kind
        contacts = common.recent_contacts(state)
        cure = np.clip(_CURE[kind, bucket] * np.exp(0.2 * state.shock), 0.01, 0.9)
        default = common.default_alone(parameters, accounts, bucket, cure, _DEFAULT_FACTOR[kind])
        share = state.missed * 0.04 * state.balance / np.maximum(accounts.limit, 1.0)
        reminded = np.where(share < _SMALL_ARREARS, 1.0, 0.2) * 0.5**contacts
        planned = np.where(common.paid_recently(state) > 0, 1.0, 0.5)
        arms: common.Arms = []
        for index, queue in enumerate(parameters.queues):
            talks = queue.queue_id in ("senior-negotiators", "hardship")
            added = np.select(
                [kind == SELF_CURER, kind == FORGETFUL, kind == NEEDS_PLAN, kind == RESISTS],
                [0.01, _REMINDS[index] * reminded, _PLANS[index] * planned, 0.04 - 0.11 * contacts],
                0.0,
            )
            after = np.clip(cure + added, 0.01, 0.95)
            kept = np.where((kind == NEEDS_PLAN) & talks, 0.5, np.where(kind == RESISTS, 1.0 + 0.25 * contacts, 1.0))
            arms.append((after, default * (1.0 - after) / (1.0 - cure) * kept))
        ease = np.array([0.3, 0.2, 0.2, -0.6, -0.2])[kind]
        return common.behaviour(
            parameters,
            accounts,
            state,
            common.chances(cure, default),
            arms,
            common.reached_rate(parameters, accounts, ease),
        )
