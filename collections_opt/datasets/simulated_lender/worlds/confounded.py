"""A world whose desk hears what no column records and works those about to pay: its rows show effects that are not there.

The news also decides outcomes. Contact truly helps only between thresholds that columns show, and harms who was late for long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats, Ints
from collections_opt.datasets.simulated_lender.behaviour import Behaviour
from collections_opt.datasets.simulated_lender.form import Form, whole_bands
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import Draws, State
from collections_opt.datasets.simulated_lender.worlds import common

_CURE = np.array([0.55, 0.45, 0.36, 0.26, 0.16, 0.10])
_HELPS = (0.22, 0.20, 0.30, 0.08, 0.20)
_NEWS = 0.16
"""What one standard deviation of the news adds to the chance of a cure."""


@dataclass(frozen=True)
class Confounded(Form):
    """The form of hidden confounding; the passing trait is the month's news."""

    band_count: ClassVar[int] = 3

    def turning(self, accounts: Accounts, shock: Floats) -> Floats:
        """Return that news hardly matters before an account is late."""
        return np.asarray(-0.6 * accounts.willingness - 0.1 * shock, dtype=np.float64)

    def bands(self, accounts: Accounts, state: State) -> tuple[Ints, Ints, Floats]:  # noqa: ARG002 - the form's signature
        """Return thirds of willingness."""
        return whole_bands(np.digitize(accounts.willingness, [-0.43, 0.43]).astype(np.int64))

    def hardness(
        self,
        parameters: LenderParameters,  # noqa: ARG002 - the form's signature
        accounts: Accounts,
        state: State,
        behaviour: Behaviour,
        draws: Draws,
    ) -> Floats:
        """Return how near to paying the desk believes each account: good news, willing people, and a taste of its own."""
        z = behaviour.segments
        return np.asarray(1.1 * state.shock + 0.3 * accounts.willingness - 0.3 * z[:, 0] + 0.3 * draws.normal[2])

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:  # noqa: ARG002
        """Return chances that add up; help between thresholds of utilisation, harm after three late months of four."""
        bucket = state.missed - 1
        late = (state.status_history[:4] > 0).sum(axis=0)
        cure = _CURE[bucket] + _NEWS * state.shock + 0.06 * accounts.willingness + 0.05 * common.paid_recently(state)
        cure = np.clip(cure - 0.03 * late, 0.02, 0.92)
        default = common.default_alone(parameters, accounts, bucket, cure, np.exp(-0.4 * state.shock))
        used = common.utilisation(accounts, state)
        helped = np.where((used > 0.35) & (used < 0.85), 1.0, 0.15) * np.where(common.paid_recently(state) > 0, 1.0, 0.4)
        arms: common.Arms = []
        for index in range(len(parameters.queues)):
            added = _HELPS[index] * helped - 0.05 * (late >= 3)
            after = np.clip(cure + added, 0.01, 0.95)
            arms.append((after, default * (1.0 - after) / (1.0 - cure)))
        rate = common.reached_rate(parameters, accounts, np.asarray(0.2 * common.paid_recently(state)))
        return common.behaviour(parameters, accounts, state, common.chances(cure, default), arms, rate)
