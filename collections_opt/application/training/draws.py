"""Where a recorded draw made a contact that nothing before it had touched: a person's first entry into an experiment.

An arm is drawn once and holds for months. At the first ranking that would have had a person worked, in either arm, nothing that
is known follows from the arm: those rows are an experiment. From then on contact changes what is known, whether the person is
late at all, and whether prices choose the account, differently in each arm: those rows keep their contacts and outcomes, and are
a log like any that a desk chose, whose chances are estimated and whose facts, contact history among them, are those of their own
month. Two experiments draw apart where their salts differ, so whoever enters a later one is drawn afresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.workspace import Workspace
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.experiments.arms import Arm, person_keys
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose

Mask = NDArray[np.bool_]


def fresh_draws(workspace: Workspace, ranking_ids: Sequence[str]) -> Mapping[str, Mask]:
    """Return for each ranking the rows whose draw nothing before had touched, bool (n,).

    All rankings made for work count, also those that are not named: whoever entered by one of them enters by no later one.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a person whose recorded arm changed.
    """
    wanted, found, draws = set(ranking_ids), {}, Draws()
    inputs = [(RankingFacts.from_record(one.record).inputs, one) for one in workspace.ledger.rankings.newest_first()]
    worked = [
        (facts.as_of_date, record.seq, record)
        for facts, record in inputs
        if facts.experiments and facts.made_for is RankingPurpose.WORK
    ]
    for _, _, record in sorted(worked, key=lambda one: one[:2]):
        if not wanted:
            break
        found[record.ranking_id] = draws.enter(workspace.recorded.opened(record))
        wanted.discard(record.ranking_id)
    return found


@dataclass
class Draws:
    """Who was drawn so far, by the salt of the draw: persons, sorted, whether they entered, and their arms."""

    known: dict[str, _Drawn] = field(default_factory=dict)

    def enter(self, opened: OpenedRanking) -> Mask:
        """Return the rows at which people enter by a ranking, later in time than all before, bool (n,).

        Under an order without prices nobody enters, and everybody in scope is touched: those in the one arm may have been worked.

        Raises:
            CollectionsError: INVALID_ARGUMENT for a person whose recorded arm changed.
        """
        entries, keys = opened.entries, person_keys(opened.portfolio)
        fresh = np.zeros(keys.size, dtype=bool)
        if entries.experiment is None or entries.arm is None or entries.intended_queue is None:
            return fresh
        priced = opened.facts.answer.ordering is Ordering.EXPECTED_VALUE
        for number, named in enumerate(opened.facts.inputs.experiments, start=1):
            if named.design.arm is ArmKind.TWO_PLANS:
                continue  # who works a person was drawn, not whether anybody does
            inside = (entries.experiment == number) & (entries.arm != Arm.NONE)
            meant = inside & (entries.intended_queue != UNASSIGNED)
            before = self.known.get(named.design.salt, _NOBODY)
            before.check_arms(keys[inside], entries.arm[inside], opened.facts.inputs.as_of_date.isoformat())
            if priced:
                fresh |= meant & ~before.has_entered(keys)
            touched = meant if priced else inside
            self.known[named.design.salt] = before.joined(keys[inside], entries.arm[inside], touched[inside])
        return fresh


@dataclass(frozen=True)
class _Drawn:
    """Persons of one draw: bytes (p,) sorted, uint8 (p,) arms, bool (p,) whether the arm has been able to act."""

    person: NDArray[np.bytes_]
    arm: NDArray[np.uint8]
    entered: Mask

    def has_entered(self, keys: NDArray[np.bytes_]) -> Mask:
        """Return whether persons, bytes (n,), had entered."""
        return np.isin(keys, self.person[self.entered])

    def check_arms(self, keys: NDArray[np.bytes_], arm: NDArray[np.uint8], day: str) -> None:
        """Refuse persons, bytes (n,), whose arm is another than before."""
        place = np.minimum(np.searchsorted(self.person, keys), max(self.person.size - 1, 0))
        if not self.person.size:
            return
        moved = (self.person[place] == keys) & (self.arm[place] != arm)
        if moved.any():
            told = f"{np.unique(keys[moved]).size:,} person(s) are in another arm on {day} than before: no draw holds them."
            raise refuse(Reason.INVALID_ARGUMENT, "ranking_ids", told, "Name rankings before that day, and verify the records.")

    def joined(self, keys: NDArray[np.bytes_], arm: NDArray[np.uint8], entered: Mask) -> _Drawn:
        """Return these persons and others, bytes (n,) with their arms and whether they enter now."""
        person, first, of = np.unique(np.concatenate([self.person, keys]), return_index=True, return_inverse=True)
        acted = np.bincount(of, weights=np.concatenate([self.entered, entered]), minlength=person.size) > 0
        return _Drawn(person, np.concatenate([self.arm, arm])[first], acted)


_NOBODY = _Drawn(np.zeros(0, dtype="S1"), np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=bool))
