"""A world that is another one when decisions are taken than when models were trained: texts wear out, cures become rarer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from collections_opt.datasets.simulated_lender.accounts import Accounts
from collections_opt.datasets.simulated_lender.behaviour import Behaviour
from collections_opt.datasets.simulated_lender.form import Form
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import State
from collections_opt.datasets.simulated_lender.worlds import common

DRIFT_BEGINS, DRIFT_MONTHS = 3, 5
_CURE = np.array([0.62, 0.50, 0.40, 0.28, 0.18, 0.12])
_BEFORE = np.array([0.32, 0.24, 0.30, 0.22, 0.20])
_AFTER = np.array([0.14, 0.24, 0.36, 0.03, 0.30])
"""Share of those that would stay that a contact makes cure, by queue, before the drift and after it."""


@dataclass(frozen=True)
class Drifting(Form):
    """The form of drift between training and deciding."""

    drifts: ClassVar[bool] = True

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:
        """Return chances that move from one regime to the other over some months."""
        bucket = state.missed - 1
        moved = float(np.clip((month - DRIFT_BEGINS) / DRIFT_MONTHS, 0.0, 1.0))
        used = np.clip(common.utilisation(accounts, state), 0.0, 1.3)
        paid = common.paid_recently(state)
        cure = _CURE[bucket] * np.exp(0.25 * accounts.willingness + 0.1 * state.shock - 0.3 * moved)
        cure = np.clip(cure * (0.75 + 0.4 * paid) * (1.15 - 0.3 * used), 0.01, 0.92)
        factor = np.exp(-0.2 * accounts.willingness) * (1.0 + 0.6 * moved)
        default = common.default_alone(parameters, accounts, bucket, cure, factor)
        # Before the drift contact moves people with room on their line, after it those without.
        room = (1.0 - moved) * (1.3 - used) + moved * (0.4 + 0.6 * used)
        shares = (1.0 - moved) * _BEFORE + moved * _AFTER
        arms: common.Arms = []
        for index in range(len(parameters.queues)):
            share = np.clip(shares[index] * room * (0.6 + 0.6 * paid) * 0.8 ** common.recent_contacts(state), 0.0, 0.8)
            arms.append((cure + share * (1.0 - cure - default), default * (1.0 - 0.5 * share)))
        rate = common.reached_rate(parameters, accounts, 0.2 * paid - 0.2 * moved)
        return common.behaviour(parameters, accounts, state, common.chances(cure, default), arms, rate)
