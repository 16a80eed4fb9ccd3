"""Two worlds in which nothing can be gained over a plan: its effects are exactly right, or contact does nothing at all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.simulated_lender.accounts import Accounts
from collections_opt.datasets.simulated_lender.behaviour import Behaviour, softmax
from collections_opt.datasets.simulated_lender.desk import desk_plan
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import State
from collections_opt.datasets.simulated_lender.worlds import common
from collections_opt.datasets.simulated_lender.worlds.payday import Payday


@dataclass(frozen=True)
class AssumedIsRight(Payday):
    """People live by paydays and shocks; a contact does exactly what the desk's plan assumes, right-party rate included."""

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:
        """Return the plan's shifts of the log-odds, decayed by the contacts already made."""
        alone = super().behave(parameters, accounts, state, month)
        contacts = common.recent_contacts(state)
        up, down = (np.log(alone.alone[:, outcome] / alone.alone[:, STAY]) for outcome in (CURE, DEFAULT))
        reached, rates = [], []
        for queue in desk_plan(1.0).queues:
            effect = queue.effect
            decay = effect.repeat_decay**contacts
            reached.append(softmax(up + effect.theta_cure * decay, down - effect.theta_default * decay))
            rates.append(np.full(contacts.size, effect.right_party_contact_rate))
        return replace(alone, reached=np.stack(reached, axis=1), right_party_rate=np.column_stack(rates))


@dataclass(frozen=True)
class ContactDoesNothing(Payday):
    """People live by paydays and shocks, and no contact changes anything; it costs what it costs."""

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:
        """Return that who is reached does what he would have done."""
        alone = super().behave(parameters, accounts, state, month)
        return replace(alone, reached=np.repeat(alone.alone[:, np.newaxis, :], len(parameters.queues), axis=1))
