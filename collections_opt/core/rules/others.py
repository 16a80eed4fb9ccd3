"""Accounts of the same persons beside those that are judged, and what a ranking plans for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.rules.places import in_jurisdiction
from collections_opt.core.rules.tables import Rule

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PlannedContacts:
    """What a ranking plans for its accounts.

    Attributes:
        queue: int16 (k,) where each is worked, -1 for none.
        attempts: float64 (k,) attempts offered there; 0 for none.
    """

    queue: NDArray[np.int16]
    attempts: Floats

    @classmethod
    def of(cls, queue: NDArray[np.int16], fewer: NDArray[np.uint8] | None, plan: CapacityPlan) -> PlannedContacts:
        """Return them from a ranking's entries; ``fewer``, uint8 (k,), is 0 where a queue makes all of its attempts."""
        every = np.where(queue >= 0, np.array([each.attempts for each in plan.queues])[queue], 0.0)
        return cls(queue, every if fewer is None else np.where((queue >= 0) & (fewer > 0), fewer, every))


@dataclass(frozen=True)
class OtherAccounts:
    """Pairs of one of n accounts and another account of its person; k pairs.

    Attributes:
        row: int64 (k,) the account.
        state: bytes (k,) where the other one is.
        planned: what is planned for the other one.
        share: int64 (n,) among how many accounts, this one among them, what is left of a person's budget is shared.
        most: float64 (n,) attempts that an account keeps whose decision stands; infinite for others.
    """

    row: Ints
    state: NDArray[np.bytes_]
    planned: PlannedContacts
    share: Ints
    most: Floats

    def attempts(self, rule: Rule, plan: CapacityPlan) -> Floats:
        """Return the attempts planned for others that a rule counts, float64 (n,)."""
        reached = np.array([rule.reaches(each.channel, each.specialisms, each.automated) for each in plan.queues])
        counted = np.where((self.planned.queue >= 0) & reached[self.planned.queue], self.planned.attempts, 0.0)
        return np.bincount(self.row, weights=counted, minlength=self.share.size).astype(np.float64)

    def inside(self, rule: Rule, strict_places: bool) -> Mask:
        """Return of which accounts another one of the person is where a rule binds, bool (n,)."""
        found = np.zeros(self.share.size, dtype=bool)
        states, place = np.unique(self.state, return_inverse=True)
        found[self.row[in_jurisdiction(states, rule.jurisdictions, strict_places)[place]]] = True
        return found
