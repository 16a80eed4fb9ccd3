"""Contact effects from a log that the desk chose: doubly robust, only where contacted and uncontacted accounts overlap.

Such a log can move a queue's average effect, and no more (see ``effect_shift``). Graded OBSERVATIONAL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from econml.dr import LinearDRLearner
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, cross_val_predict

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.effect.likelihood import EffectPrior
from collections_opt.scoring.effect.model import NORMAL_95, EffectEstimate, QueueEffectModel
from collections_opt.scoring.effect.rows import LoggedContacts
from collections_opt.scoring.effect.segments import Segments
from collections_opt.scoring.effect.shift import HIDDEN_BIAS, PlannedShift, shifted

Floats = NDArray[np.float64]

MIN_ARM_ROWS = 500
"""Contacted and uncontacted rows that an adjustment needs."""

OVERLAP = (0.05, 0.95)
"""Estimated chances of contact inside this range count as overlap (Crump, Hotz, Imbens and Mitnik 2009 use 0.1 to 0.9)."""

MIN_OVERLAP_SHARE = 0.80
"""Share of rows that must overlap."""

_FOLDS = 3
_FORESTS: dict[str, Any] = {
    "n_estimators": 120,
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_child_samples": 50,
    "deterministic": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Overlap:
    """How much contacted and uncontacted accounts have in common.

    Attributes:
        share: share of rows whose estimated chance of contact lies in ``OVERLAP``.
        effective_contacted: effective number of contacted rows after weighting by 1 / chance.
        effective_uncontacted: the same for the others.
    """

    share: float
    effective_contacted: float
    effective_uncontacted: float


def estimated_chance(contacts: LoggedContacts, seed: int) -> Floats:
    """Return the chance of contact of every row given its features, predicted by a model without its person, float64 (n,)."""
    groups = np.unique(contacts.person, return_inverse=True)[1]
    chance = cross_val_predict(
        _classifier(seed),
        _covariates(contacts),
        contacts.log.contacted,
        groups=groups,
        cv=GroupKFold(_FOLDS),
        method="predict_proba",
    )
    return np.asarray(chance[:, 1], dtype=np.float64)


def measure_overlap(contacted: NDArray[np.bool_], chance: Floats) -> Overlap:
    """Return the overlap of a log with its estimated chances."""
    inside = (chance >= OVERLAP[0]) & (chance <= OVERLAP[1])
    safe = np.clip(chance, 1e-6, 1.0 - 1e-6)
    return Overlap(float(inside.mean()), _effective(1.0 / safe[contacted]), _effective(1.0 / (1.0 - safe[~contacted])))


def learn_observational(
    contacts: LoggedContacts, plan: CapacityPlan, queue: int, segments: Segments, prior: EffectPrior, seed: int
) -> QueueEffectModel:
    """Return a queue's effect from the rows that were not randomised.

    Raises:
        CollectionsError: INVALID_ARGUMENT when there are too few rows or no overlap.
    """
    rows = contacts.take((contacts.log.queue == queue) & ~contacts.log.randomised)
    queue_id = plan.queues[queue].queue_id
    contacted = rows.log.contacted
    arms = (int(contacted.sum()), int((~contacted).sum()))
    if min(arms) < MIN_ARM_ROWS:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"log[{queue_id}]",
            f"{arms[0]} contacted and {arms[1]} uncontacted rows; an adjustment needs {MIN_ARM_ROWS} of each.",
            "Send more months of the log.",
        )
    overlap = measure_overlap(contacted, estimated_chance(rows, seed))
    if overlap.share < MIN_OVERLAP_SHARE or min(overlap.effective_contacted, overlap.effective_uncontacted) < MIN_ARM_ROWS / 2:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"log[{queue_id}]",
            f"only {overlap.share:.0%} of rows have a chance of contact between {OVERLAP[0]:.0%} and {OVERLAP[1]:.0%}: contacted "
            "and uncontacted accounts are different accounts.",
            "Hold out a random share of contacts, or declare the threshold that assigned the queue (--threshold).",
        )
    estimates = {name: _average(rows, outcome, seed) for name, outcome in (("cure", CURE), ("default", DEFAULT))}
    reason = f"doubly robust on rows the desk chose; {overlap.share:.0%} overlap; hidden bias allowed: {HIDDEN_BIAS:.0%}"
    return shifted(rows, plan.queues[queue], segments, PlannedShift.of(prior, queue), estimates, reason)


def _average(rows: LoggedContacts, outcome: int, seed: int) -> EffectEstimate:
    """Return the doubly robust average change of an outcome's probability (econml, cross-fitted)."""
    learner = LinearDRLearner(
        model_propensity=_classifier(seed),
        model_regression=lgb.LGBMRegressor(**_FORESTS, random_state=seed, n_jobs=1),
        min_propensity=OVERLAP[0] / 2,
        cv=GroupKFold(_FOLDS),
        random_state=seed,
    )
    groups = np.unique(rows.person, return_inverse=True)[1]
    happened = (rows.log.outcome == outcome).astype(np.float64)
    learner.fit(happened, rows.log.contacted.astype(np.int64), X=None, W=_covariates(rows), groups=groups)
    value = float(learner.intercept_(T=1))
    low, high = (float(end) for end in learner.intercept__interval(T=1, alpha=0.05))
    return EffectEstimate(value, (high - low) / (2.0 * NORMAL_95), low, high, int(happened.size))


def _classifier(seed: int) -> lgb.LGBMClassifier:
    return lgb.LGBMClassifier(**_FORESTS, random_state=seed, n_jobs=1)


def _covariates(rows: LoggedContacts) -> Floats:
    """Return features, their missingness and the scores; missing values are 0 beside a column that says so."""
    features = rows.features.astype(np.float64)
    missing = np.isnan(features)
    sometimes = missing.any(axis=0)
    return np.column_stack([np.nan_to_num(features), missing[:, sometimes], rows.offset, rows.contacts])


def _effective(weight: Floats) -> float:
    return float(weight.sum() ** 2 / (weight**2).sum()) if weight.size else 0.0
