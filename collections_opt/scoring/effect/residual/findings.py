"""What is known of each queue after learning: its grade, why, what it rests on, and its average effect on randomised rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collections_opt.core.desk.queues import CapacityPlan, EvidenceGrade
from collections_opt.scoring.effect import doubly_robust
from collections_opt.scoring.effect.experiment import CrossFitted
from collections_opt.scoring.effect.model import EffectEstimate
from collections_opt.scoring.effect.randomisation import BalanceTest, check_draws
from collections_opt.scoring.effect.residual.level import CONFOUNDED_LEVEL, NORMAL_95, PROVEN_ERRORS, Level
from collections_opt.scoring.effect.residual.model import NAMES, OUTCOMES, LearnedQueue
from collections_opt.scoring.effect.residual.regression import MIN_ARM_ROWS, Prepared, arms
from collections_opt.scoring.effect.residual.stacking import Parts

OVERLAP = (0.05, 0.95)
"""Estimated chances of contact inside this range count as overlap."""


@dataclass(frozen=True)
class Verdict:
    """What the whole log allows.

    Attributes:
        refused: why the plan stands everywhere; empty where effects were learned.
        unproven: why no queue's effect may pass as proven; empty where it may.
        warnings: for people.
    """

    refused: str
    unproven: str
    warnings: tuple[str, ...]


def judge(parts: Sequence[Parts], levels: Sequence[Level] | None) -> Verdict:
    """Return what the levels allow; ``levels`` is None without enough randomised rows."""
    if levels is None:
        few = f"fewer than {MIN_ARM_ROWS} contacted and as many held-out randomised rows: nothing says how strong effects are"
        return Verdict(few, "", ("Hold out a random share of contacts: chosen contacts overstate effects.",))
    named = list(zip(NAMES, parts, levels, strict=True))
    learned = [(name, level) for name, part, level in named if part.taught]
    judged = learned or [(name, level) for name, _, level in named]
    doubts = [f"{name} {level.estimate:.2f}, error {level.standard_error:.2f}" for name, level in judged if not level.proven]
    unproven = f"level not above 0 by two errors: {', '.join(doubts)}" if doubts else ""
    warnings = [
        f"The randomised rows leave {level.unweighted:.2f} of what all rows say of {name}: contacts that the desk chose mislead."
        for name, part, level in named
        if np.isfinite(part.every.penalty) and level.unweighted < CONFOUNDED_LEVEL
    ]
    warnings += [_stray(name, level) for name, part, level in named if not part.taught and _strays(level)]
    return Verdict("", unproven, tuple(warnings))


def _strays(level: Level) -> bool:
    """Return whether the randomised rows contradict the plan's strength."""
    plan = level.weights[0]
    return abs(plan.estimate - 1.0) > PROVEN_ERRORS * plan.standard_error


def _stray(name: str, level: Level) -> str:
    plan = level.weights[0]
    low, high = (plan.estimate + side * NORMAL_95 * plan.standard_error for side in (-1.0, 1.0))
    found = f"{plan.estimate:.2f}, 95 % {low:.2f} to {high:.2f}"
    return f"The randomised rows put the plan's effect on {name} at {found} of what the plan says: correct the plan."


def tests_of_balance(prepared: Prepared, plan: CapacityPlan) -> dict[str, BalanceTest]:
    """Return tests of the draws, as ``check_draws``.

    Raises:
        CollectionsError: INVALID_ARGUMENT when the recorded propensities cannot have made the contacts.
    """
    names = [queue.queue_id for queue in plan.queues]
    return check_draws(prepared.contacts, prepared.design, prepared.basis.names, names)


def describe_queues(prepared: Prepared, plan: CapacityPlan, made: CrossFitted, verdict: Verdict) -> tuple[LearnedQueue, ...]:
    """Return what is known of every queue of the plan; ``made`` are predictions of the randomised rows."""
    return tuple(_describe(prepared, plan, made, verdict, index) for index in range(len(plan.queues)))


def _describe(prepared: Prepared, plan: CapacityPlan, made: CrossFitted, verdict: Verdict, index: int) -> LearnedQueue:
    contacts = prepared.contacts
    mine = contacts.log.queue == index
    drawn = mine & contacts.log.randomised
    counts, drawn_counts = arms(contacts, mine), arms(contacts, drawn)
    evidence, reason = _grade(counts, drawn_counts, verdict)
    enough = min(drawn_counts) >= MIN_ARM_ROWS
    averages = [_average(prepared, made, index, column) if enough else None for column in range(len(OUTCOMES))]
    chance = prepared.nuisance.chance[mine & ~contacts.log.randomised]
    overlap = float(((chance >= OVERLAP[0]) & (chance <= OVERLAP[1])).mean()) if chance.size else 1.0
    return LearnedQueue(
        plan.queues[index].queue_id,
        evidence,
        reason,
        plan.queues[index].effect,
        prepared.own.index(index) if index in prepared.own else None,
        *counts,
        sum(drawn_counts),
        overlap,
        *averages,
    )


def _grade(counts: tuple[int, int], drawn: tuple[int, int], verdict: Verdict) -> tuple[EvidenceGrade, str]:
    if verdict.refused:
        return EvidenceGrade.ASSUMED, verdict.refused
    if min(counts) < MIN_ARM_ROWS:
        few = f"{counts[0]} contacted and {counts[1]} uncontacted rows; {MIN_ARM_ROWS} of each are needed"
        return EvidenceGrade.ASSUMED, few
    if verdict.unproven:
        return EvidenceGrade.OBSERVATIONAL, f"unproven: {verdict.unproven}"
    if min(drawn) < MIN_ARM_ROWS:
        few = f"{drawn[0]} contacted and {drawn[1]} held-out randomised rows, fewer than {MIN_ARM_ROWS} of each"
        return EvidenceGrade.OBSERVATIONAL, f"weights from the randomised rows of all queues; of its own {few}"
    return EvidenceGrade.EXPERIMENT, "shape from all rows, weights from a randomised holdout with recorded propensities"


def _average(prepared: Prepared, made: CrossFitted, index: int, column: int) -> EffectEstimate:
    rows = prepared.contacts.take(prepared.contacts.log.randomised)
    mine, outcome = rows.log.queue == index, OUTCOMES[column]
    psi = doubly_robust.scores(
        rows.log.contacted[mine],
        rows.log.propensity[mine],
        (rows.log.outcome[mine] == outcome).astype(np.float64),
        made.without[mine, outcome],
        made.under[mine, outcome],
    )
    return doubly_robust.average(psi, rows.person[mine])
