"""Worlds of truly different forms behind one interface, so that nobody who improves a method can please one world only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.datasets.simulated_lender.desk import desk_plan
from collections_opt.datasets.simulated_lender.form import Form
from collections_opt.datasets.simulated_lender.lender import SimulatedLender
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.worlds.confounded import Confounded
from collections_opt.datasets.simulated_lender.worlds.drifting import Drifting
from collections_opt.datasets.simulated_lender.worlds.latent_types import LatentTypes
from collections_opt.datasets.simulated_lender.worlds.noisy import Noisy
from collections_opt.datasets.simulated_lender.worlds.payday import Payday
from collections_opt.datasets.simulated_lender.worlds.plain import AssumedIsRight, ContactDoesNothing
from collections_opt.datasets.simulated_lender.worlds.products import Products, product_parameters


@dataclass(frozen=True)
class World:
    """A kind of lender: what it is made of, how its people behave, and when models are trained and decisions taken.

    The truth of a month, every account's chances under no contact and under each queue with its money, is what
    ``truth.potential_outcomes(lender, month, plan)`` says; evaluation alone may read it.

    Attributes:
        name: for ``world`` and for people.
        meaning: one sentence.
        form: how people behave.
        parameters: what the lender is made of.
        training_months: months that models are meant to learn from.
        deciding_month: the month whose decisions are judged, of another lender of the same world.
        learnable: whether contact differs between accounts in ways that recorded columns tell.
    """

    name: str
    meaning: str
    form: Form
    parameters: LenderParameters = field(default_factory=LenderParameters)
    training_months: tuple[int, ...] = (0, 1, 2)
    deciding_month: int = 5
    learnable: bool = True

    def lender(self, seed: int, account_count: int, randomised_share: float | None = None) -> SimulatedLender:
        """Return a lender of this world; ``randomised_share`` of the account-months are decided by recorded chances."""
        made = self.parameters
        if randomised_share is not None:
            made = replace(made, randomised_share=randomised_share)
        return SimulatedLender(seed, account_count, made, self.form)

    def plan(self, worked_count: float) -> CapacityPlan:
        """Return the desk's plan with minutes for about ``worked_count`` accounts."""
        return desk_plan(worked_count)


_CONFOUNDED = replace(LenderParameters(), contact_intercept=-0.2, contact_slope=1.4)

WORLDS: Mapping[str, World] = MappingProxyType(
    {
        made.name: made
        for made in (
            World("segments", "Contact shifts log-odds, linearly in segments that columns show.", Form()),
            World("types", "Latent types with thresholds; repeated contact harms those who resist.", LatentTypes()),
            World("payday", "Attention times liquidity; income shocks; contact helps soon after the payday.", Payday()),
            World("products", "Four products, heavy tails.", Products(), product_parameters(LenderParameters())),
            World("confounded", "The desk works those it has heard are about to pay.", Confounded(), _CONFOUNDED),
            World("drift", "Effects and cures are others when decisions are taken.", Drifting(), deciding_month=8),
            World("noise", "Columns are noise; a third is helped, and no column tells whom.", Noisy(), learnable=False),
            World("assumed", "The plan's effects are exactly right.", AssumedIsRight(), learnable=False),
            World("nothing", "Contact does nothing.", ContactDoesNothing(), learnable=False),
        )
    }
)
"""All worlds by name."""


def world(name: str) -> World:
    """Return a world.

    Raises:
        ValueError: naming the worlds there are.
    """
    if name not in WORLDS:
        raise ValueError(f"no world is called {name!r}; use one of {', '.join(WORLDS)}")
    return WORLDS[name]
