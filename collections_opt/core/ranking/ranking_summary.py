"""A recorded ranking in a few figures, for people: what was decided for how many, how well, and how full each queue is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.value.stated_money import StatedMoney


@dataclass(frozen=True)
class QueueFigures:
    """One queue of a ranking; ``price_per_minute_minor`` is its shadow price."""

    queue_id: str
    capacity_minutes: float
    used_minutes: float
    price_per_minute_minor: float

    @property
    def fill(self) -> float:
        """Used share of the capacity; 0 for a closed queue."""
        return self.used_minutes / self.capacity_minutes if self.capacity_minutes else 0.0


@dataclass(frozen=True)
class RankingSummary:
    """Header figures of a ranking; money in minor units, queues in the plan's order.

    ``money_by_grade`` has the share of the money that rests on contact effects of each evidence grade, most first, and
    ``effects_version`` where they come from; ``recovery_version`` names the recovery model, if one gave losses given default.
    ``stated`` is what to expect, None for rankings recorded before it was counted.
    ``warnings`` are what a person must know first.
    ``one_contact_per_person`` is whether each of the ``person_count`` persons is contacted about one account at most.
    """

    ranking_id: str
    ordering: Ordering
    currency_code: str
    counts: Mapping[Disposition, int]
    objective_minor: int
    bound_minor: int
    gap: float
    termination: str
    queues: tuple[QueueFigures, ...]
    money_by_grade: tuple[tuple[EvidenceGrade, float], ...] = ()
    effects_version: str = ""
    recovery_version: str = ""
    warnings: tuple[str, ...] = ()
    stated: StatedMoney | None = None
    one_contact_per_person: bool = True
    person_count: int = 0

    @property
    def account_count(self) -> int:
        """Accounts ranked, worked or not."""
        return sum(self.counts.values())
