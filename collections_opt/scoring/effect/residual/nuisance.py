"""What effects are learned beside and not of: outcomes without contact and the desk's habits, from other people's rows.

Three folds by person: no row is predicted by a model that saw its person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.effect.rows import LoggedContacts

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FOLDS = 3

CHANCE_BOUNDS = (0.01, 0.99)
"""Estimated chances of contact are cut here; accounts this sure to be contacted, or not, teach next to nothing."""

_TREES: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.06,
    "num_leaves": 12,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.8,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
_ROUNDS = 100


@dataclass(frozen=True)
class Nuisance:
    """Predictions of n rows by models that saw none of their person's.

    Attributes:
        fold: int64 (n,) of the person.
        without: float64 (n, 2) mu0, chances of cure and of default without contact.
        chance: float64 (n,) e, chance of contact: recorded where it was drawn, estimated where the desk chose.
    """

    fold: NDArray[np.int64]
    without: Floats
    chance: Floats


def fit_nuisance(contacts: LoggedContacts, seed: int) -> Nuisance:
    """Return mu0 learned from uncontacted rows and e from the desk's, both cross-fitted by person."""
    fold = person_folds(contacts.person, seed)
    log, matrix = contacts.log, _covariates(contacts)
    desk = ~log.randomised
    without, chance = np.empty((log.row_count, 2)), log.propensity.copy()
    for held in range(FOLDS):
        mine, others = fold == held, fold != held
        for column, outcome in enumerate((CURE, DEFAULT)):
            taught = others & ~log.contacted
            without[mine, column] = _predicted(matrix, log.outcome == outcome, taught, mine, seed)
        chosen = mine & desk
        if chosen.any():
            chance[chosen] = np.clip(_predicted(matrix, log.contacted, others & desk, chosen, seed), *CHANCE_BOUNDS)
    return Nuisance(fold, without, chance)


def person_folds(person: NDArray[np.bytes_], seed: int) -> NDArray[np.int64]:
    """Return the fold of each row, int64 (n,): persons in random order, dealt out in turn."""
    ids, number = np.unique(person, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(ids.size) % FOLDS
    return np.asarray(dealt[number], dtype=np.int64)


def _predicted(matrix: Floats, happened: Mask, taught: Mask, mine: Mask, seed: int) -> Floats:
    target = happened[taught]
    if target.all() or not target.any():  # one answer only, which trees cannot be grown on
        return np.full(int(mine.sum()), float(target.mean()) if target.size else 0.0)
    data = lgb.Dataset(matrix[taught], target.astype(np.float64), free_raw_data=True)
    booster = lgb.train({**_TREES, "seed": seed}, data, num_boost_round=_ROUNDS)
    return np.asarray(booster.predict(matrix[mine], num_threads=1), dtype=np.float64)


def _covariates(contacts: LoggedContacts) -> Floats:
    """Return features, scores, contacts made, own columns, and the queue the desk meant, which tells what it thought; no queue
    where it was drawn.
    """
    meant = np.where(contacts.log.randomised, -1, contacts.log.queue)
    queues = np.column_stack([meant == index for index in range(len(contacts.log.queue_ids))])
    product = np.unique(contacts.product, return_inverse=True)[1]
    return np.column_stack(
        [contacts.features, contacts.offset, contacts.contacts, contacts.conversation, product, queues, contacts.own]
    ).astype(np.float64)
