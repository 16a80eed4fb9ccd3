"""How the people of a world behave: the one place where worlds differ in more than their figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.datasets.simulated_lender.accounts import Accounts, Floats, Ints, Traits
from collections_opt.datasets.simulated_lender.behaviour import Behaviour, behave
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import Draws, State

Columns = dict[str, Array]
Present = dict[str, NDArray[np.bool_]]
WILLINGNESS_GRID = np.linspace(-2.0, 2.0, 9)


@dataclass(frozen=True)
class Form:
    """The form of segments, which other forms change: shifts of log-odds, linear in segments that recorded columns show.

    A form never draws for itself what a month's draws hold: the same numbers settle every potential outcome. Methods name what
    any form may read; this one reads less.
    """

    # ruff: noqa: ARG002

    band_count: ClassVar[int] = WILLINGNESS_GRID.size
    """Bands of latent traits in which the true value of staying late is counted."""

    drifts: ClassVar[bool] = False
    """Whether the months of the world differ."""

    def traits(self, normal: Floats, rng: np.random.Generator) -> Traits:
        """Return the latent traits of newborn accounts from standard normals (m,) and a stream of the form's own."""
        return Traits(normal, np.zeros(normal.size, dtype=np.int64), rng.standard_normal((normal.size, 2)))

    def turning(self, accounts: Accounts, shock: Floats) -> Floats:
        """Return what traits add to the log-odds of turning late, float64 (m,)."""
        return -0.8 * accounts.willingness - 0.4 * shock

    def next_shock(self, parameters: LenderParameters, shock: Floats, normal: Floats) -> Floats:
        """Return the next month's passing trait from this month's and standard normals, float64 (m,)."""
        memory = parameters.shock_memory
        return np.asarray(memory * shock + np.sqrt(1 - memory**2) * normal, dtype=np.float64)

    def behave(self, parameters: LenderParameters, accounts: Accounts, state: State, month: int) -> Behaviour:
        """Return what m late accounts do by themselves and under contact by each queue in a month."""
        return behave(parameters, accounts, state)

    def hardness(
        self, parameters: LenderParameters, accounts: Accounts, state: State, behaviour: Behaviour, draws: Draws
    ) -> Floats:
        """Return how much the desk is drawn to each account, float64 (m,).

        Here late, large, silent accounts draw it; the agents' own impression adds what no column records.
        """
        z = behaviour.segments
        seen = 0.8 * z[:, 0] - 0.7 * z[:, 2] + 0.6 * z[:, 3] + 0.3 * z[:, 4] + 0.3 * draws.normal[2]
        hidden = parameters.hidden_share
        return np.asarray(np.sqrt(1.0 - hidden) * seen - np.sqrt(hidden) * accounts.willingness, dtype=np.float64)

    def bands(self, accounts: Accounts, state: State) -> tuple[Ints, Ints, Floats]:
        """Return the lower and upper band of each account and the upper one's weight."""
        trait = np.clip(accounts.willingness, WILLINGNESS_GRID[0], WILLINGNESS_GRID[-1])
        place = np.interp(trait, WILLINGNESS_GRID, np.arange(WILLINGNESS_GRID.size))
        low = np.minimum(place.astype(np.int64), WILLINGNESS_GRID.size - 2)
        return low, low + 1, place - low

    def record(self, columns: Columns, present: Present, rng: np.random.Generator) -> tuple[Columns, Present]:
        """Return what the lender's columns record of the truth; a form may record amiss, from a stream of its own."""
        return columns, present


def whole_bands(band: Ints) -> tuple[Ints, Ints, Floats]:
    """Return bands of types, between which nothing is interpolated."""
    return band, band, np.zeros(band.size)
