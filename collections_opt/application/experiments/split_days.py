"""The days of two plans that share the work, as their rankings tell: which made one, and whether minutes stood as people did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.desk.split import uneven_queues
from collections_opt.core.experiments.design import ExperimentDesign
from collections_opt.core.experiments.findings import SplitDay


@dataclass
class SplitDays:
    """Days as rankings of either plan add up; of a plan and day the first ranking counts: later ones are of what remains."""

    design: ExperimentDesign
    _first: dict[tuple[date, str], tuple[int, str, CapacityPlan]] = field(default_factory=dict)

    def add(self, opened: OpenedRanking) -> None:
        """Add a ranking that was made to be worked."""
        inputs, seq = opened.facts.inputs, opened.record.seq
        key = inputs.as_of_date, inputs.plan_id
        if key not in self._first or seq < self._first[key][0]:
            self._first[key] = seq, opened.record.ranking_id, opened.plan

    @property
    def days(self) -> tuple[SplitDay, ...]:
        """The days on which either plan made a ranking, in order."""
        return tuple(self._of(day) for day in sorted({day for day, _ in self._first}))

    def _of(self, day: date) -> SplitDay:
        ours, theirs = (self._first.get((day, name)) for name in (self.design.plan_id, self.design.challenger_plan_id))
        uneven = uneven_queues(ours[2], theirs[2], self.design.share) if ours and theirs else ()
        return SplitDay(day, ours[1] if ours else "", theirs[1] if theirs else "", uneven)


def any_plan_idle(days: Sequence[SplitDay]) -> bool:
    """Return whether one of two plans never made a ranking: nobody worked its people, and nothing can be compared."""
    return bool(days) and not (any(day.ranking_id for day in days) and any(day.challenger_ranking_id for day in days))
