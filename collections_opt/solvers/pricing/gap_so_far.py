"""How near the optimum a solve is known to be while it runs: the least bound proven so far beside the best list so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.problem.assignment import PRICE_SCALE, ProgressCallback, SolveProgress, ignore_progress
from collections_opt.solvers.answer import Incumbent
from collections_opt.solvers.pricing.instance import Instance, evaluate, tally, to_grid
from collections_opt.solvers.pricing.people import People
from collections_opt.solvers.pricing.relief import trimmed


class GapSoFar:
    """Tells progress with the gap proven so far, which does not grow while prices are searched.

    Prices on the way are proven by an exact pass and turned into a list by another one, for a listener alone: neither changes
    the answer, and neither is made where accounts do not lie in this process's memory. With side rows the gap is that of the
    limits relaxed by what the list lacks, each unit at the penalty.

    Args:
        people: all accounts.
        penalty_minor: worth of one unit short in a side row.
        progress: the listener.
    """

    def __init__(self, people: People, penalty_minor: int, progress: ProgressCallback) -> None:
        self._people = people
        self._penalty_minor = penalty_minor
        self._progress = progress
        self._bound: int | None = None
        self._best: tuple[int, int] | None = None
        self._gap: float | None = None

    def tell(self, stage: str, fraction: float, prices: NDArray[np.float64] | None = None) -> None:
        """Report a stage; ``prices`` (m + k) in minor units are what has been found by now."""
        if self._progress is ignore_progress:
            return
        if prices is not None and self._people.accounts.passes.near:
            grid = to_grid(prices)
            rows = self._people.at(grid)
            found = evaluate(rows, grid)
            self._add(rows, found.bound // PRICE_SCALE, trimmed(rows, grid, found.choice))
        self._progress(SolveProgress(stage, fraction, self._gap))

    def tell_list(self, stage: str, fraction: float, accounts: Instance, best: Incumbent) -> None:
        """Report a stage that found a list of some accounts; all others are not worked."""
        if self._progress is ignore_progress:
            return
        self._add(accounts, best.bound_minor, best.queue)
        self._progress(SolveProgress(stage, fraction, self._gap))

    def _add(self, rows: Instance, bound_minor: int, choice: NDArray[np.int16]) -> None:
        value, used = tally(rows, choice)
        waived = self._penalty_minor * int(np.maximum(used - rows.limit, 0)[rows.elastic].sum())
        found = (value - waived, waived)
        self._best = found if self._best is None else max(self._best, found)
        self._bound = bound_minor if self._bound is None else min(self._bound, bound_minor)
        whole = self._bound + self._best[1]
        gap = (self._bound - self._best[0]) / whole if whole > 0 else 0.0
        self._gap = gap if self._gap is None else min(self._gap, gap)
