"""Plain ways to learn effects from randomised rows, as rivals: a T-learner, a DR-learner, a causal forest.

Each learns the change of p_cure and p_default from the rows that a holdout drew, with the queue meant as a column; where a queue
has too few of them the plan's effect stands. Right-party rates are each queue's own average.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from econml.grf import CausalForest
from numpy.typing import NDArray

from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.effect import doubly_robust
from collections_opt.scoring.effect.rows import LoggedContacts
from harness.worlds.given_effects import GivenEffects

Floats = NDArray[np.float64]

MIN_ARM_ROWS = 50
OUTCOMES = (CURE, DEFAULT)
MOST_QUEUES = 8
ROUNDS, SMALL_ROWS = 80, 20

TREES = {
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": SMALL_ROWS,
    "feature_fraction": 0.7,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}

Change = Callable[[NDArray[np.float32], int], Floats]
"""The change of one outcome's chance for feature rows contacted by a queue."""


@dataclass(frozen=True)
class Rival:
    """A learned rival: how each outcome's chance changes, the rates, and which queues had enough rows."""

    name: str
    change: tuple[Change, Change]
    rate: Floats
    known: tuple[bool, ...]

    def effects_of(self, portfolio: Portfolio, plan: CapacityPlan) -> GivenEffects:
        """Return the effects on a portfolio."""
        matrix = build_features(portfolio).matrix
        cure, default = (np.column_stack([of(matrix, q) for q in range(len(plan.queues))]) for of in self.change)
        rate = np.tile(self.rate, (matrix.shape[0], 1))
        unknown = tuple(np.flatnonzero(~np.array(self.known)).tolist())
        return GivenEffects(self.name, cure, default, rate, PlannedEffects(portfolio, plan), unknown)


@dataclass(frozen=True)
class Slice:
    """The randomised rows: features float32 (n, f), queue int64 (n,), contacted, chance, outcome."""

    features: NDArray[np.float32]
    queue: NDArray[np.int64]
    contacted: NDArray[np.bool_]
    chance: Floats
    outcome: NDArray[np.int64]

    @staticmethod
    def of(contacts: LoggedContacts) -> Slice:
        """Return those of a log."""
        rows = contacts.take(contacts.log.randomised)
        log = rows.log
        return Slice(rows.features, log.queue.astype(np.int64), log.contacted, log.propensity, log.outcome)

    def happened(self, outcome: int) -> Floats:
        """Return 1 where an outcome happened, float64 (n,)."""
        return (self.outcome == outcome).astype(np.float64)

    def take(self, rows: NDArray[np.bool_]) -> Slice:
        """Return some rows."""
        return Slice(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


def rates(contacts: LoggedContacts, plan: CapacityPlan) -> Floats:
    """Return each queue's share reached of randomised contacted rows, float64 (q,); the plan's where they are few."""
    log, found = contacts.log, []
    for index, queue in enumerate(plan.queues):
        mine = log.randomised & log.contacted & (log.queue == index)
        few = int(mine.sum()) < MIN_ARM_ROWS
        found.append(queue.effect.right_party_contact_rate if few else float(log.right_party[mine].mean()))
    return np.array(found)


def known_queues(rows: Slice, plan: CapacityPlan) -> tuple[bool, ...]:
    """Return which queues have rows enough in both arms."""
    result = []
    for index in range(len(plan.queues)):
        mine = rows.queue == index
        result.append(min(int((mine & rows.contacted).sum()), int((mine & ~rows.contacted).sum())) >= MIN_ARM_ROWS)
    return tuple(result)


def t_learner(rows: Slice) -> tuple[Change, Change]:
    """Chances of contacted rows and of uncontacted rows, each by trees of their own; the difference."""
    made = []
    for outcome in OUTCOMES:
        under = _chance(_with_queue(rows.features, rows.queue)[rows.contacted], rows.happened(outcome)[rows.contacted])
        alone = _chance(rows.features[~rows.contacted], rows.happened(outcome)[~rows.contacted])
        made.append(lambda matrix, queue, under=under, alone=alone: under.predict(_all(matrix, queue)) - alone.predict(matrix))
    return made[0], made[1]


def dr_learner(rows: Slice) -> tuple[Change, Change]:
    """Trees on doubly robust scores whose chances were predicted without the row (Kennedy 2023)."""
    fold, made = np.arange(rows.queue.size) % 2, []
    for outcome in OUTCOMES:
        psi = np.empty(rows.queue.size)
        for held in (0, 1):
            part, mine = rows.take(fold != held), rows.take(fold == held)
            under = _chance(_with_queue(part.features, part.queue)[part.contacted], part.happened(outcome)[part.contacted])
            alone = _chance(part.features[~part.contacted], part.happened(outcome)[~part.contacted])
            psi[fold == held] = doubly_robust.scores(
                mine.contacted,
                mine.chance,
                mine.happened(outcome),
                alone.predict(mine.features),
                under.predict(_with_queue(mine.features, mine.queue)),
            )
        data = lgb.Dataset(_with_queue(rows.features, rows.queue), psi)
        final = lgb.train({**TREES, "objective": "regression", "min_data_in_leaf": 10 * SMALL_ROWS}, data, ROUNDS)
        made.append(lambda matrix, queue, final=final: final.predict(_all(matrix, queue)))
    return made[0], made[1]


def causal_forest(rows: Slice) -> tuple[Change, Change]:
    """A generalised random forest on residuals of contact and outcome (Athey, Tibshirani and Wager 2019), of econml."""
    fold, made = np.arange(rows.queue.size) % 2, []
    for outcome in OUTCOMES:
        left = np.empty(rows.queue.size)
        for held in (0, 1):
            part, mine = rows.take(fold != held), fold == held
            expected = _chance(_with_queue(part.features, part.queue), part.happened(outcome))
            left[mine] = rows.happened(outcome)[mine] - expected.predict(_with_queue(rows.features[mine], rows.queue[mine]))
        forest = CausalForest(n_estimators=100, min_samples_leaf=SMALL_ROWS, max_samples=0.45, random_state=1, n_jobs=1)
        forest.fit(_filled(_with_queue(rows.features, rows.queue)), (rows.contacted - rows.chance)[:, np.newaxis], left)
        made.append(lambda matrix, queue, forest=forest: forest.predict(_filled(_all(matrix, queue))).ravel())
    return made[0], made[1]


RIVALS = {"T_LEARNER": t_learner, "DR_LEARNER": dr_learner, "CAUSAL_FOREST": causal_forest}


def learn_rival(name: str, contacts: LoggedContacts, plan: CapacityPlan) -> Rival | None:
    """Learn a rival by name; None where fewer than two queues have rows enough."""
    rows = Slice.of(contacts)
    known = known_queues(rows, plan)
    if sum(known) < 2:
        return None
    return Rival(name, RIVALS[name](rows.take(np.array(known)[rows.queue])), rates(contacts, plan), known)


def _chance(matrix: NDArray[np.float32], happened: Floats) -> lgb.Booster:
    return lgb.train({**TREES, "objective": "binary"}, lgb.Dataset(matrix, happened), ROUNDS)


def _with_queue(matrix: NDArray[np.float32], queue: NDArray[np.int64]) -> NDArray[np.float32]:
    marks = (queue[:, np.newaxis] == np.arange(int(queue.max(initial=0)) + 1)).astype(np.float32)
    wide = np.zeros((matrix.shape[0], MOST_QUEUES), dtype=np.float32)
    wide[:, : marks.shape[1]] = marks
    return np.hstack([matrix, wide])


def _all(matrix: NDArray[np.float32], queue: int) -> NDArray[np.float32]:
    return _with_queue(matrix, np.full(matrix.shape[0], queue, dtype=np.int64))


def _filled(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.nan_to_num(matrix, nan=-1.0)
