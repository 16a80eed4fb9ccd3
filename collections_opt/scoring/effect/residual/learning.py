"""Learn contact effects from all rows of a log by residuals (a linear R-learner), shrunk to the plan.

Per outcome  y - mu0 - W tau_p ~ (W - e) h B (beta + gamma_q): what the plan's change of p leaves, on what of contact cannot be
foreseen (Robinson 1988; Nie and Wager 2021). The penalty is the largest whose cross-fitted loss lies within one paired standard
error of the least, infinity among them: where the plan is right nothing is learned. Of the rows that a desk chose the shape is
kept and no average. The same is learned from the randomised rows alone, and these say how much of the plan and of either is
served (``level``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.scoring.effect.experiment import CrossFitted
from collections_opt.scoring.effect.randomisation import BalanceTest
from collections_opt.scoring.effect.residual.findings import describe_queues, judge, tests_of_balance
from collections_opt.scoring.effect.residual.level import UNMEASURED, Level, measure_levels
from collections_opt.scoring.effect.residual.model import NAMES, FoldCoefficients, ResidualModel, Rows
from collections_opt.scoring.effect.residual.money import money_scales
from collections_opt.scoring.effect.residual.nuisance import FOLDS
from collections_opt.scoring.effect.residual.regression import MIN_ARM_ROWS, Prepared, arms, as_rows, prepare
from collections_opt.scoring.effect.residual.stacking import Parts, learn_parts, served_covariance
from collections_opt.scoring.effect.rows import LoggedContacts


@dataclass(frozen=True)
class LearnedResiduals:
    """A learned model and what judges it.

    Attributes:
        model: to serve.
        contacts: the rows that it was learned from.
        rows: the randomised rows, aligned with ``predictions``.
        predictions: cross-fitted, under contact by the row's queue at the served level.
        balance: tests of the draws, as ``check_draws``.
    """

    model: ResidualModel
    contacts: LoggedContacts
    rows: LoggedContacts
    predictions: CrossFitted
    balance: dict[str, BalanceTest]


def learn_residuals(
    contacts: LoggedContacts,
    plan: CapacityPlan,
    version: str,
    seed: int,
    progress: Callable[[str, float], None] = lambda _s, _f: None,
) -> LearnedResiduals:
    """Return a version of the effects; the plan stands where the log teaches nothing, or nothing says how strong effects are.

    Args:
        contacts: rows of the log (``logged_contacts``); those that no queue was meant to work are left out.
        plan: its effects are the prior.
        version: name of the model.
        seed: of folds and trees.
        progress: told the step and the share done.

    Raises:
        CollectionsError: INVALID_ARGUMENT when there are fewer than 200 contacted or uncontacted rows, or the recorded
            propensities cannot have made the contacts of a queue.
    """
    contacts = contacts.take(contacts.log.queue >= 0)
    counts = arms(contacts, np.ones(contacts.log.row_count, dtype=bool))
    if min(counts) < MIN_ARM_ROWS:
        found = f"holds {counts[0]} contacted and {counts[1]} uncontacted rows; {MIN_ARM_ROWS} of each are needed."
        raise refuse(Reason.INVALID_ARGUMENT, "log", found, "Send more months of the log, uncontacted accounts among them.")
    progress("learn outcomes without contact and the desk's habits", 0.1)
    prepared = prepare(contacts, plan, seed)
    tests = tests_of_balance(prepared, plan)
    progress("learn what contact changes", 0.7)
    parts = tuple(learn_parts(prepared, outcome) for outcome in range(len(NAMES)))
    progress("measure how strong effects are", 0.8)
    learned = _assembled(prepared, parts, plan, version, tests)
    progress("learned", 1.0)
    return learned


def _assembled(
    prepared: Prepared, parts: Sequence[Parts], plan: CapacityPlan, version: str, tests: dict[str, BalanceTest]
) -> LearnedResiduals:
    contacts = prepared.contacts
    drawn = contacts.log.randomised
    measured = min(arms(contacts, drawn)) >= MIN_ARM_ROWS
    levels: tuple[Level, ...] = (UNMEASURED,) * len(parts)
    weights: Rows = ()
    if measured:
        levels, weights = measure_levels([part.slice_rows(prepared, drawn) for part in parts], contacts.person[drawn])
    predictions = _predictions(prepared, parts, levels, drawn)
    verdict = judge(parts, levels if measured else None)
    model = ResidualModel(
        version,
        prepared.basis,
        describe_queues(prepared, plan, predictions, verdict),
        tuple(part.described(prepared, level, name) for name, part, level in zip(NAMES, parts, levels, strict=True)),
        () if verdict.refused else served_covariance(parts, levels, weights, contacts.person),
        () if verdict.refused else _folds(parts, levels),
        int(drawn.sum()),
        verdict.warnings,
        money_scales(contacts.take(drawn), predictions) if measured else None,
        weighs_every_queue=True,
    )
    return LearnedResiduals(model, contacts, contacts.take(drawn), predictions, tests)


def _predictions(prepared: Prepared, parts: Sequence[Parts], levels: Sequence[Level], drawn: NDArray[np.bool_]) -> CrossFitted:
    """Return what rows by chance would do without and under contact, by models that their person was not among."""
    without = np.empty((int(drawn.sum()), 3))
    under = np.empty_like(without)
    for column, outcome in enumerate((CURE, DEFAULT)):
        without[:, outcome] = prepared.nuisance.without[drawn, column]
        under[:, outcome] = without[:, outcome] + parts[column].change(prepared, levels[column])[drawn]
    for made in (without, under):
        made[:, STAY] = 1.0 - made[:, CURE] - made[:, DEFAULT]
    return CrossFitted(without, under)


def _folds(parts: Sequence[Parts], levels: Sequence[Level]) -> tuple[FoldCoefficients, ...]:
    found = []
    for held in range(FOLDS):
        cure, default = (part.fold(level, held) for part, level in zip(parts, levels, strict=True))
        pairs = [(as_rows(one), as_rows(other)) for one, other in zip(cure, default, strict=True)]
        found.append(FoldCoefficients(pairs[0], pairs[1]))
    return tuple(found)
