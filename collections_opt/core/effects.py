"""What contact does to the outcomes, per account and queue, served in blocks of rows so that memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.portfolio import Portfolio
from collections_opt.core.queues import CapacityPlan, EvidenceGrade

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class QueueEffect:
    """The effect of one queue on a block of m accounts: right-party-contact rate and both log-odds shifts, float64 (m,)."""

    rpc_rate: Floats
    theta_cure: Floats
    theta_default: Floats


class ContactEffects(Protocol):
    """Where effects come from: the plan's assumption, or a learned model."""

    @property
    def version(self) -> str:
        """Version recorded with the ranking."""
        ...

    def evidence(self, queue: int) -> EvidenceGrade:
        """Return the evidence grade of a queue's effect."""
        ...

    def block(self, rows: slice, queue: int) -> QueueEffect:
        """Return the effect of a queue on a block of accounts."""
        ...


class PlannedEffects:
    """The plan's effect of each queue, decayed by the contacts already made: theta(n) = theta * gamma^n."""

    def __init__(self, portfolio: Portfolio, plan: CapacityPlan) -> None:
        self._contacts = portfolio.column("contacts_in_window_count")
        self._plan = plan

    @property
    def version(self) -> str:
        """The plan and its version: the effects live there."""
        return f"plan/{self._plan.plan_id}/{self._plan.version}"

    def evidence(self, queue: int) -> EvidenceGrade:
        """Return the grade stated in the plan."""
        return self._plan.queues[queue].effect.evidence

    def block(self, rows: slice, queue: int) -> QueueEffect:
        """Return the effect of a queue on a block of accounts."""
        effect = self._plan.queues[queue].effect
        decay = np.power(effect.repeat_decay, self._contacts[rows].astype(np.float64))
        rate = np.full(decay.shape, effect.right_party_contact_rate, dtype=np.float64)
        return QueueEffect(rate, effect.theta_cure * decay, effect.theta_default * decay)
