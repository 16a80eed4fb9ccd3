"""A world whose columns are noise for the most part, and where contact helps a third of the people whom no column tells apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats, Ints, Traits
from collections_opt.datasets.simulated_lender.behaviour import Behaviour
from collections_opt.datasets.simulated_lender.form import Columns, Form, Present, whole_bands
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import State
from collections_opt.datasets.simulated_lender.worlds import common

HELPED_SHARE = 1 / 3
_CURE = np.array([0.50, 0.42, 0.34, 0.24, 0.15, 0.10])
_HELPS = (0.45, 0.40, 0.55, 0.20, 0.35)


@dataclass(frozen=True)
class Noisy(Form):
    """The form of noise; ``kind`` 1 is helped, 0 is not."""

    band_count: ClassVar[int] = 2

    def traits(self, normal: Floats, rng: np.random.Generator) -> Traits:
        """Return who is helped, apart from everything else."""
        kind = (rng.random(normal.size) < HELPED_SHARE).astype(np.int64)
        return Traits(normal, kind, rng.standard_normal((normal.size, 2)))

    def turning(self, accounts: Accounts, shock: Floats) -> Floats:
        """Return that chance alone turns people late."""
        return np.asarray(-0.2 * shock + 0.0 * accounts.willingness, dtype=np.float64)

    def bands(self, accounts: Accounts, state: State) -> tuple[Ints, Ints, Floats]:  # noqa: ARG002 - the form's signature
        """Return who is helped."""
        return whole_bands(accounts.kind)

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:  # noqa: ARG002
        """Return chances by bucket, and help for those who can be helped."""
        bucket = state.missed - 1
        cure = np.clip(_CURE[bucket] + 0.05 * accounts.latent[:, 0] + 0.04 * state.shock, 0.02, 0.9)
        default = common.default_alone(parameters, accounts, bucket, cure, np.ones(cure.size))
        arms: common.Arms = []
        for index in range(len(parameters.queues)):
            after = np.clip(cure + _HELPS[index] * (accounts.kind == 1), 0.01, 0.95)
            arms.append((after, default * (1.0 - after) / (1.0 - cure)))
        rate = common.reached_rate(parameters, accounts, np.zeros(cure.size))
        return common.behaviour(parameters, accounts, state, common.chances(cure, default), arms, rate)

    def record(self, columns: Columns, present: Present, rng: np.random.Generator) -> tuple[Columns, Present]:
        """Return histories of payments and balances out of other people's files, ages and limits without meaning, and holes."""
        size = columns["account_id"].size
        made, shown = dict(columns), dict(present)
        for name in ("payment_history_minor", "balance_history_minor"):
            made[name] = columns[name][rng.permutation(size)]
            shown[name] = np.broadcast_to((rng.random(size) > 0.3)[:, np.newaxis], columns[name].shape).copy()
        made["months_on_book"] = rng.integers(3, 120, size)
        made["calls_last_7_days_count"] = rng.integers(0, 3, size)
        made["credit_limit_minor"] = np.round(made["credit_limit_minor"] * np.exp(rng.normal(0.0, 0.7, size))).astype(np.int64)
        shown["credit_limit_minor"] = present["credit_limit_minor"] & (rng.random(size) > 0.5)
        return made, shown
