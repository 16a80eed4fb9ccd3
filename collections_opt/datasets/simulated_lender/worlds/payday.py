"""A world of paydays and income shocks: people pay when money is there and they think of it; contact makes them think of it.

The chance of a cure is attention times liquidity. A contact raises attention alone, the more the nearer it falls after the
payday; where no money comes it does nothing, except that a plan keeps some of the shocked from default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats, Ints, Traits
from collections_opt.datasets.simulated_lender.behaviour import Behaviour
from collections_opt.datasets.simulated_lender.form import Form, whole_bands
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import State
from collections_opt.datasets.simulated_lender.worlds import common

EARNS, SHORT, JOBLESS = 0.0, 1.0, 2.0
_INCOME = np.array([1.0, 0.45, 0.12])
_CONTACT_DAY = (4.0, 11.0, 16.0, 1.0, 12.0)
_REMINDS = (0.75, 0.65, 0.85, 0.45, 0.50)
_LIQUIDITY_SPREAD = 0.8


@dataclass(frozen=True)
class Payday(Form):
    """The form of paydays and shocks. ``latent`` is the payday's place in the month and attention."""

    band_count: ClassVar[int] = 9

    def traits(self, normal: Floats, rng: np.random.Generator) -> Traits:
        """Return a willingness without weight in payments, and latents."""
        return Traits(normal, np.zeros(normal.size, dtype=np.int64), rng.standard_normal((normal.size, 2)))

    def next_shock(self, parameters: LenderParameters, shock: Floats, normal: Floats) -> Floats:  # noqa: ARG002
        """Return the income's state: rare falls, slow returns."""
        chance = ndtr(normal)
        falls = np.select([chance < 0.015, chance < 0.05], [JOBLESS, SHORT], EARNS)
        short = np.select([chance < 0.05, chance > 0.70], [JOBLESS, EARNS], SHORT)
        jobless = np.where(chance > 0.86, EARNS, JOBLESS)
        return np.asarray(np.select([shock == EARNS, shock == SHORT], [falls, short], jobless), dtype=np.float64)

    def turning(self, accounts: Accounts, shock: Floats) -> Floats:
        """Return that shocks and little attention turn people late."""
        return np.asarray(1.6 * (shock > 0) + 0.6 * (shock > 1) - 0.5 * accounts.latent[:, 1] - 0.3, dtype=np.float64)

    def bands(self, accounts: Accounts, state: State) -> tuple[Ints, Ints, Floats]:
        """Return bands of the income's state and of attention."""
        attention = np.digitize(accounts.latent[:, 1], [-0.5, 0.5])
        return whole_bands((3 * state.shock + attention).astype(np.int64))

    def alone(self, parameters: LenderParameters, accounts: Accounts, state: State) -> tuple[Floats, Floats, Floats]:
        """Return attention, liquidity and the chance of default without contact, float64 (m,) each."""
        instalment = np.array([p.instalment_share for p in parameters.products])[accounts.product] * state.balance
        income = 0.11 * accounts.limit * np.exp(0.3 * accounts.willingness) * _INCOME[state.shock.astype(np.int64)]
        owed = np.maximum(state.missed * instalment, 1.0)
        liquidity = np.clip(ndtr(np.log(income / owed) / _LIQUIDITY_SPREAD), 0.005, 0.95)
        attention = 0.08 + 0.8 * common.logistic(1.2 * accounts.latent[:, 1] - 0.2)
        factor = 1.0 + 1.2 * state.shock
        return attention, liquidity, common.default_alone(parameters, accounts, state.missed - 1, attention * liquidity, factor)

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:  # noqa: ARG002
        """Return attention times liquidity, and attention raised by a contact near the payday."""
        attention, liquidity, default = self.alone(parameters, accounts, state)
        payday = (accounts.due_day - 6.0 + 3.0 * accounts.latent[:, 0]) % 28.0
        cure = attention * liquidity
        arms: common.Arms = []
        for index, queue in enumerate(parameters.queues):
            waited = (_CONTACT_DAY[index] - payday) % 28.0
            near = np.clip(1.0 - waited / 14.0, 0.1, 1.0)
            raised = attention + (1.0 - attention) * _REMINDS[index] * near
            after = raised * liquidity
            plan = 0.6 if queue.queue_id in ("senior-negotiators", "hardship") else 1.0
            arms.append((after, default * (1.0 - after) / (1.0 - cure) * np.where(state.shock > 0, plan, 1.0)))
        rate = common.reached_rate(parameters, accounts, np.where(state.shock > 1, -0.4, 0.0))
        return common.behaviour(parameters, accounts, state, common.chances(cure, default), arms, rate)
