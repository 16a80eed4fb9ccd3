"""Why contact is worth what it is: each feature group's part in the increment.

Part of it comes through the chances without contact: the account is valued without the group's push on them. The rest is what the
group adds to the effect itself, where effects are linear in facts and tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import INELIGIBLE
from collections_opt.core.value.effects import ContactEffects, at_attempts, kept_share
from collections_opt.core.value.payoffs import CostBasis, ValueParameters
from collections_opt.core.value.valuation import increment
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.scoring.effect.residual.basis import CONTACTS_GROUP, OWN_GROUP_PREFIX, PRODUCT_GROUP
from collections_opt.scoring.outcome.scorer import REASON_SUBJECTS, ReasonGroup, ReasonTable, strongest

EFFECT_SUBJECTS: Mapping[str, str] = MappingProxyType(
    {**REASON_SUBJECTS, CONTACTS_GROUP: "The contacts it has had speak", PRODUCT_GROUP: "Its product speaks"}
)
"""How a sentence about each group that effects have begins."""


def increment_reasons(
    valued: ValuedAccounts,
    pushes: NDArray[np.float64],
    groups: Sequence[ReasonGroup],
    plan: CapacityPlan,
    parameters: ValueParameters,
    effects_of: Callable[..., ContactEffects],
    count: int = 3,
) -> ReasonTable:
    """Return the strongest reasons of each account's largest increment; none where every queue is blocked.

    A group's part, in the queue of the largest increment and in minor units, is the increment less the increment at the
    probabilities without the group's push, and what the group adds to the effect, against an average account of the log that it
    was learned from.

    Args:
        valued: scored and valued accounts, n.
        pushes: float64 (n, g, 3), as ``Scorer.group_pushes``.
        groups: what they are pushes of, g.
        plan: queues.
        parameters: value model.
        effects_of: contact effects, as ``rank`` used them.
        count: reasons per account.
    """
    value = valued.problem.value
    queue, rows = value.argmax(axis=1), np.arange(value.shape[0])
    best = value[rows, queue]
    effects = effects_of(valued.portfolio, plan)
    parts = np.zeros(pushes.shape[:2])
    for group in np.flatnonzero(pushes.any(axis=(0, 2))).tolist():
        p = valued.outcomes.probability * np.exp(-pushes[:, group])
        p /= p.sum(axis=1, keepdims=True)
        parts[:, group] = best.astype(np.float64) - _increments(p, valued, effects, plan, queue, parameters.cost_basis)
    told, whole = _direct_parts(valued, effects, plan, queue, groups)
    whole[:, : len(groups)] += parts
    return strongest(whole, "INCREMENT", count, told).where(best != INELIGIBLE)


def _increments(
    probability: NDArray[np.float64],
    valued: ValuedAccounts,
    effects: ContactEffects,
    plan: CapacityPlan,
    queue: NDArray[np.int64],
    basis: CostBasis,
) -> NDArray[np.float64]:
    """Return each account's increment in its queue at other chances, float64 (n,) whole minor units, as ``value_matrix``."""
    every, result = slice(0, queue.size), np.empty(queue.size)
    for index in np.unique(queue).tolist():
        offered = valued.eligibility.offered(every, index)
        effect = at_attempts(effects.block(every, index, probability), plan.queues[index].attempts, offered)
        cell = increment(probability, effect, plan.queues[index], valued.worth, every, basis)
        result = np.where(queue == index, np.rint(cell.value), result)
    return result


def _subject(code: str) -> str:
    """Return how a sentence begins about a group that the outcome model does not have."""
    if code.startswith(OWN_GROUP_PREFIX):
        return f"Its {code.removeprefix(OWN_GROUP_PREFIX).lower()} speaks"
    return EFFECT_SUBJECTS[code]


def _direct_parts(
    valued: ValuedAccounts, effects: ContactEffects, plan: CapacityPlan, queue: NDArray[np.int64], groups: Sequence[ReasonGroup]
) -> tuple[list[ReasonGroup], NDArray[np.float64]]:
    """Return the groups, with those that effects alone have, and what each adds to the effect, float64 (n, g) minor units."""
    probability, worth, every = valued.outcomes.probability, valued.worth, slice(0, queue.size)
    told, columns = list(groups), [np.zeros(queue.size) for _ in groups]
    for index in np.unique(queue).tolist():
        changes = effects.contributions(every, index, probability)
        if not changes:
            continue
        rate = effects.block(every, index, probability).rpc_rate
        kept = kept_share(rate, plan.queues[index].attempts, valued.eligibility.offered(every, index))
        for code, change in changes.items():
            place = next((at for at, group in enumerate(told) if group.code == code), len(told))
            if place == len(told):
                told.append(ReasonGroup(code, _subject(code)))
                columns.append(np.zeros(queue.size))
            money = change.cure * (worth.cure - worth.stay) - change.default * (worth.stay - worth.default)
            columns[place] += np.where(queue == index, kept * money, 0.0)
    return told, np.column_stack(columns) if columns else np.zeros((queue.size, 0))
