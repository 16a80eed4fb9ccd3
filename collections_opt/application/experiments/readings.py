"""Experiments read from the ledger: the people of every ranking that was part, what became of them, and what that shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.experiments.entered import (
    Entrants,
    PersonRows,
    add_entrants,
    entrants,
    number_of,
    queue_worth,
    rankings_of,
    terms_of,
)
from collections_opt.application.experiments.split_days import SplitDays, any_plan_idle
from collections_opt.application.outcomes.maturity import Maturities
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.resources.experiments import Experiments
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import SHARE_SCALE, ArmKind
from collections_opt.core.experiments.findings import ExperimentFindings
from collections_opt.core.experiments.reading import EnteredPersons, read_experiment
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger


@dataclass(frozen=True)
class Entry:
    """A ranking at which people entered, and whether their horizon has passed."""

    opened: OpenedRanking
    who: Entrants
    is_matured: bool


class Readings:
    """Reads experiments.

    Args:
        ledger: the records.
        recorded: opens rankings.
        experiments: the stored ones.
        maturities: what became of accounts.
        now: the clock.
    """

    def __init__(
        self,
        ledger: Ledger,
        recorded: RecordedRankings,
        experiments: Experiments,
        maturities: Maturities,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._recorded = recorded
        self._experiments = experiments
        self._maturities = maturities
        self._now = now

    def read(self, experiment_id: str) -> ExperimentFindings:
        """Return what an experiment shows now.

        Raises:
            CollectionsError: NOT_FOUND; RESOURCE_STATE_CONFLICT for one that was never started, or in which nobody entered yet.
        """
        design = self._experiments.started(experiment_id).content
        terms = terms_of(design.horizon_days)
        people, waiting, unit = PersonRows(), 0, ""
        drawn = DrawnQueues() if design.arm is ArmKind.RANDOM_QUEUE else None
        split = SplitDays(design) if design.arm is ArmKind.TWO_PLANS else None
        zone = "UTC"
        for entry in self.entries(experiment_id):
            unit, zone = entry.opened.portfolio.currency_code, entry.opened.portfolio.time_zone
            if split is not None:
                split.add(entry.opened)
            if not entry.is_matured:
                waiting += entry.who.person.size
            elif entry.who.person.size:
                add_entrants(people, entry.opened, entry.who, self._maturities.found(entry.opened, terms))
                if drawn is not None:
                    drawn.add(entry.opened, entry.who.first)
            require_wanted()
        if not unit:
            told = f"no ranking was part of {experiment_id!r} yet."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "experiment_id", told, "Make rankings from its first day on.")
        queue_ids, queue = _queues_of(people)
        arm = people.column("arm", np.uint8)
        held = arm == Arm.HELD_OUT
        cost, most = (people.column(name, np.float64) for name in ("surplus", "increment"))
        if drawn is not None:
            cost, most = drawn.costs
        censored = people.column("censored", np.bool_)
        days = () if split is None else split.days
        outcomes = _outcomes_of(people, censored, any_plan_idle(days))
        queue_ids, queue, pair = _together(queue_ids, queue, drawn)
        entered = EnteredPersons(arm, queue.astype(np.int16), people.column("prediction", np.float64), outcomes, *pair)
        # Of two plans the challenger's people are compared: the chance is that of the others.
        chance = design.share_nano if split is None else SHARE_SCALE - design.share_nano
        reading = read_experiment(entered, chance, design.planned_person_count, design.stop_rule, int(queue_ids.size))
        return ExperimentFindings(
            experiment_id=experiment_id,
            design=design,
            currency_code=unit,
            queue_ids=tuple(name.decode() for name in queue_ids.tolist()),
            reading=reading,
            matured_count=int(arm.size),
            waiting_count=waiting,
            contacted_count=int((people.column("contacted", np.bool_) & held).sum()),
            censored_count=int(censored.sum()),
            predicted_cost_minor=0 if split else round(float(cost[arm != Arm.CONTACT].sum())),
            predicted_most_minor=0 if split else round(float(most[arm != Arm.CONTACT].sum())),
            read_on=self._now().astimezone(ZoneInfo(zone)).date(),
            split_days=days,
        )

    def entries(self, experiment_id: str) -> Iterator[Entry]:
        """Yield every ranking that was part of an experiment, oldest first, with the people who entered at it.

        Of two plans whoever is there on a day enters by one of its rankings, as ``rankings_of`` orders them.
        """
        horizon = self._experiments.started(experiment_id).content.horizon_days
        known = np.zeros(0, dtype="S1")
        for record in rankings_of(self._ledger, experiment_id):
            opened = self._recorded.opened(record)
            who = entrants(opened, number_of(opened, experiment_id), known)
            known = np.union1d(known, who.person)
            portfolio = opened.portfolio
            today = self._now().astimezone(ZoneInfo(portfolio.time_zone)).date()
            yield Entry(opened, who, today > portfolio.as_of_date + timedelta(days=horizon))


def _queues_of(people: PersonRows) -> tuple[NDArray[np.bytes_], NDArray[np.int64]]:
    """Return the queues in which people would have been worked, sorted, and that of each person, -1 for nobody's."""
    names, place = np.unique(people.column("queue", np.bytes_), return_inverse=True)
    nobody = int(names.size > 0 and names[0] == b"")
    return names[nobody:], place.astype(np.int64) - nobody


def _outcomes_of(people: PersonRows, censored: NDArray[np.bool_], nothing: bool) -> dict[str, NDArray[np.float64]]:
    """Return what of people is known of their outcomes, by name; ``nothing`` where it tells nothing of the arms."""
    outcomes = {name: people.column(name, np.float64) for name in ("cash", "cure", "value")}
    if nothing:
        return {}
    if censored.size and (outcomes["cash"] < 0).all():
        del outcomes["cash"]  # nobody tells of a single payment: that nothing was paid is not known
    else:
        outcomes["cash"] = np.maximum(outcomes["cash"], 0.0)
    if censored.all():
        outcomes = {name: column for name, column in outcomes.items() if name == "cash"}
    return outcomes


@dataclass
class DrawnQueues:
    """The queues that were drawn for people who entered, and which are worth their minutes; people as they add up."""

    queue: list[NDArray[np.bytes_]] = field(default_factory=list)
    worth: list[tuple[tuple[bytes, ...], NDArray[np.bool_]]] = field(default_factory=list)
    surplus: list[NDArray[np.float64]] = field(default_factory=list)
    increment: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, opened: OpenedRanking, rows: NDArray[np.int64]) -> None:
        """Add the people of some rows of a ranking, each with one account."""
        found, entries = queue_worth(opened, rows), opened.entries
        names = np.array([*found.queue_ids, b""])
        self.queue.append(names[np.where(entries.in_drawn_queue[rows], entries.best_queue[rows], -1)])
        self.worth.append((found.queue_ids, found.worth))
        surplus, increment = found.cost_of_drawing()
        self.surplus.append(surplus)
        self.increment.append(increment)

    @property
    def costs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What drawing each person's queue was expected to cost, float64 (p,): by surplus, and by increment."""
        none = np.zeros(0)
        return np.concatenate([none, *self.surplus]), np.concatenate([none, *self.increment])


def _together(
    queue_ids: NDArray[np.bytes_], queue: NDArray[np.int64], drawn: DrawnQueues | None
) -> tuple[NDArray[np.bytes_], NDArray[np.int64], tuple[NDArray[np.int16] | None, NDArray[np.bool_] | None]]:
    """Return names of queues, the intended one of each person, the drawn one, and which are worth it, by the same numbers."""
    if drawn is None:
        return queue_ids, queue, (None, None)
    every = sorted({*queue_ids.tolist(), *(name for names, _ in drawn.worth for name in names)} - {b""})
    place = {name: at for at, name in enumerate(every)}
    worth = [np.zeros((len(part), len(every)), dtype=bool) for _, part in drawn.worth]
    for made, (names, part) in zip(worth, drawn.worth, strict=True):
        made[:, [place[name] for name in names]] = part
    there = [place.get(name, -1) for part in drawn.queue for name in part.tolist()]
    renamed = np.array([place[name] for name in queue_ids.tolist()], dtype=np.int64)[queue]
    stacked = np.concatenate(worth) if worth else np.zeros((0, len(every)), dtype=bool)
    return np.array(every, dtype=np.bytes_), renamed, (np.array(there, dtype=np.int16), stacked)
