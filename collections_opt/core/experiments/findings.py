"""What an experiment shows on a day, with all that people must know before they believe it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from collections_opt.core.desk.split import UnevenQueue
from collections_opt.core.experiments.design import ArmKind, ExperimentDesign
from collections_opt.core.experiments.reading import Effect, Reading

_HEADLINES = {
    ArmKind.HOLDOUT: (
        "Contact brings in more cash than leaving people alone.",
        "Contact brings in less cash than leaving people alone.",
        "Whether contact brings in cash is not decided: the interval holds zero.",
    ),
    ArmKind.TWO_PLANS: (
        "The challenger's plan brings in more cash than the plan as it is.",
        "The challenger's plan brings in less cash than the plan as it is.",
        "Which plan brings in more cash is not decided: the interval holds zero.",
    ),
    ArmKind.RANDOM_QUEUE: (
        "The queues that the rankings choose bring in more cash than queues drawn at random.",
        "The queues that the rankings choose bring in less cash than queues drawn at random.",
        "Whether the choice of queues brings in cash is not decided: the interval holds zero.",
    ),
}
"""What an experiment answers when its interval is above zero, below it, or holds it."""


@dataclass(frozen=True)
class SplitDay:
    """A day of two plans that share the work.

    Attributes:
        day: as-of date.
        ranking_id: the first ranking of the plan as it is that was made to be worked; "" where there was none.
        challenger_ranking_id: the same of the challenger's plan.
        uneven: queues of both whose minutes did not stand as the people do.
    """

    day: date
    ranking_id: str
    challenger_ranking_id: str
    uneven: tuple[UnevenQueue, ...] = ()


@dataclass(frozen=True)
class ExperimentFindings:
    """A reading with its surroundings; money in minor units.

    Attributes:
        experiment_id: the experiment.
        design: as it was started, or stopped.
        currency_code: of the money.
        queue_ids: names of the reading's queues.
        reading: of the people whose horizon has passed.
        matured_count: these people.
        waiting_count: people who entered and whose horizon still runs.
        contacted_count: people left alone of whom events tell an outbound contact within their horizon.
        censored_count: people of whom an account left sight before its horizon, or was never seen again.
        predicted_cost_minor: what leaving the matured people alone, or drawing their queues, was predicted to cost, with minutes
            earning their price elsewhere.
        predicted_most_minor: the same with their minutes earning nothing.
        read_on: the day.
        split_days: where two plans share the work, the days on which either made a ranking.
    """

    experiment_id: str
    design: ExperimentDesign
    currency_code: str
    queue_ids: tuple[str, ...]
    reading: Reading
    matured_count: int
    waiting_count: int
    contacted_count: int
    censored_count: int
    predicted_cost_minor: int
    predicted_most_minor: int
    read_on: date
    split_days: tuple[SplitDay, ...] = ()

    @property
    def idle_plan_id(self) -> str:
        """Of two plans, one that never made a ranking to be worked; "" where both did, or none share the work."""
        for plan_id, name in ((self.design.plan_id, "ranking_id"), (self.design.challenger_plan_id, "challenger_ranking_id")):
            if self.split_days and not any(getattr(each, name) for each in self.split_days):
                return plan_id
        return ""

    @property
    def cash(self) -> Effect | None:
        """The effect on cash over all queues, None while an arm is too small."""
        return next((each for each in self.reading.groups[0].effects if each.outcome == "cash"), None)

    @property
    def is_final(self) -> bool:
        """Whether nobody enters any more and everybody has matured: then the fixed interval may be read."""
        stopped = self.design.stopped_on is not None and self.read_on >= self.design.stopped_on
        return self.waiting_count == 0 and (stopped or self.read_on > self.design.ends_on)

    @property
    def headline(self) -> str:
        """The answer in one sentence, with the interval that holds at this look."""
        effect, group = self.cash, self.reading.groups[0]
        if self.idle_plan_id:
            return (
                f"{self.idle_plan_id} made no ranking to be worked: nobody worked its people, and the plans cannot be compared."
            )
        if self.reading.draw_doubted:
            return "The arms are not of the sizes that the draw gives: no effect is to be believed before this is explained."
        if effect is None:
            smaller = min(group.contact_count, group.held_out_count)
            return f"Too few people to say: the smaller arm holds {smaller:,} people whose horizon has passed, and needs " + (
                f"{group.needed_count:,}."
            )
        low, high = (effect.fixed_low, effect.fixed_high) if self.is_final else (effect.anytime_low, effect.anytime_high)
        more, less, open_question = _HEADLINES[self.design.arm]
        return more if low > 0 else less if high < 0 else open_question
