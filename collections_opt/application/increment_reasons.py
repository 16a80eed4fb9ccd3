"""Why contact is worth what it is: each feature group's part in the increment, by valuing the account without its push."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.assignment import INELIGIBLE
from collections_opt.core.effects import ContactEffects
from collections_opt.core.outcomes import OutcomeProbabilities
from collections_opt.core.payoffs import ValueParameters
from collections_opt.core.queues import CapacityPlan
from collections_opt.core.ranking import Ranking
from collections_opt.core.valuation import value_matrix
from collections_opt.scoring.scorer import Reason, ReasonGroup, strongest


def increment_reasons(
    ranking: Ranking,
    pushes: NDArray[np.float64],
    groups: Sequence[ReasonGroup],
    plan: CapacityPlan,
    parameters: ValueParameters,
    effects_of: Callable[..., ContactEffects],
    count: int = 3,
) -> tuple[tuple[Reason, ...], ...]:
    """Return the strongest reasons of each account's largest increment; none where every queue is blocked.

    A group's part is the increment less the increment at the probabilities without the group's push, in the queue of the
    largest increment, in minor units.

    Args:
        ranking: scored and valued accounts, n.
        pushes: float64 (n, g, 3), as ``Scorer.group_pushes``.
        groups: what they are pushes of, g.
        plan: queues.
        parameters: value model.
        effects_of: contact effects, as ``rank`` used them.
        count: reasons per account.
    """
    value = ranking.problem.value
    queue, rows = value.argmax(axis=1), np.arange(value.shape[0])
    best = value[rows, queue]
    effects = effects_of(ranking.portfolio, plan)
    parts = np.zeros(pushes.shape[:2])
    for group in np.flatnonzero(pushes.any(axis=(0, 2))).tolist():
        p = ranking.outcomes.probability * np.exp(-pushes[:, group])
        p /= p.sum(axis=1, keepdims=True)
        outcomes = OutcomeProbabilities(p, "without a group", "", np.zeros(len(p), dtype=bool))
        matrix = value_matrix(outcomes, effects, ranking.eligibility, plan, ranking.worth, parameters)
        parts[:, group] = best.astype(np.float64) - matrix.increment[rows, queue]
    if not pushes.shape[1]:
        return ((),) * len(rows)
    return tuple(
        found if allowed else ()
        for found, allowed in zip(strongest(parts, "INCREMENT", count, groups), best != INELIGIBLE, strict=True)
    )
