"""A queue's effect from average changes that no holdout measured: one constant shift, shrunk to the plan.

The plan's theta is shifted so that the average change of cure and of default on the rows equals a precision-weighted mean of the
plan's and the estimate, whose variance is widened for what no column records. Differences between accounts stay the plan's.
Graded OBSERVATIONAL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from collections_opt.core.desk.queues import EvidenceGrade, Queue
from collections_opt.core.value.effects import QueueEffect
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.core.value.valuation import contacted_probability
from collections_opt.scoring.contact.rate import fit_rate
from collections_opt.scoring.effect.likelihood import EffectPrior
from collections_opt.scoring.effect.model import EffectEstimate, QueueEffectModel
from collections_opt.scoring.effect.rows import LoggedContacts, probabilities
from collections_opt.scoring.effect.segments import Segments

Floats = NDArray[np.float64]

HIDDEN_BIAS = 0.02
"""Standard deviation, in probability, of the bias allowed: unrecorded confounders, or carrying an effect to other accounts."""


@dataclass(frozen=True)
class PlannedShift:
    """The plan's theta_cure and theta_default of a queue, float64 (2,), and how far a queue strays from it."""

    theta: Floats
    spread: float

    @classmethod
    def of(cls, prior: EffectPrior, queue: int) -> PlannedShift:
        """Return a queue's part of the prior of all queues."""
        return cls(prior.theta[queue], float(np.hypot(prior.level.shared, prior.level.own)))


def shifted(
    rows: LoggedContacts,
    settings: Queue,
    segments: Segments,
    planned: PlannedShift,
    estimates: Mapping[str, EffectEstimate],
    reason: str,
) -> QueueEffectModel:
    """Return a queue's effect as the plan's, shifted towards the estimates of ``cure`` and ``default`` on these rows."""
    design, contacted = segments.design(rows.features), rows.log.contacted
    rate = fit_rate(design[contacted], rows.log.right_party[contacted], settings.effect.right_party_contact_rate)
    chance = 1.0 / (1.0 + np.exp(-(design @ rate)))
    decay = settings.effect.repeat_decay**rows.contacts
    probability = probabilities(rows.offset)

    def implied(theta: Floats) -> Floats:
        moved = contacted_probability(probability, QueueEffect(chance, theta[0] * decay, theta[1] * decay))
        return np.asarray((moved - probability)[:, [CURE, DEFAULT]].mean(axis=0), dtype=np.float64)

    start, spread = planned.theta, planned.spread
    slope = np.column_stack([(implied(start + step) - implied(start - step)) / 0.02 for step in 0.01 * np.eye(2)])
    prior_covariance = spread**2 * slope @ slope.T + 1e-12 * np.eye(2)
    data_covariance = np.diag([estimates[name].standard_error ** 2 + HIDDEN_BIAS**2 for name in ("cure", "default")])
    data = np.array([estimates[name].value for name in ("cure", "default")])
    gain = prior_covariance @ np.linalg.inv(prior_covariance + data_covariance)
    wanted = implied(start) + gain @ (data - implied(start))
    bounds = (start - 4.0 * spread, start + 4.0 * spread)
    theta = least_squares(lambda t: (implied(t) - wanted) / HIDDEN_BIAS, start, bounds=bounds).x
    inverse = np.linalg.pinv(slope)
    posterior = inverse @ ((np.eye(2) - gain) @ prior_covariance) @ inverse.T
    columns = design.shape[1]
    covariance = np.zeros((2 * columns, 2 * columns))
    covariance[np.ix_([0, columns], [0, columns])] = posterior
    flat = [0.0] * (columns - 1)
    return QueueEffectModel(
        settings.queue_id,
        EvidenceGrade.OBSERVATIONAL,
        reason,
        int(contacted.sum()),
        int((~contacted).sum()),
        tuple(rate.tolist()),
        (float(theta[0]), *flat),
        (float(theta[1]), *flat),
        tuple(tuple(line) for line in covariance.tolist()),
        estimates["cure"],
        estimates["default"],
    )
