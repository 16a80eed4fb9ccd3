"""Learn contact effects from all rows of a log by residuals (a linear R-learner), shrunk to the plan.

Per outcome  y - mu0 - W tau_p ~ (W - e) h B (beta + gamma_q): what the plan's change of p leaves, on what of contact cannot be
foreseen (Robinson 1988; Nie and Wager 2021). The penalty is the largest whose cross-fitted loss lies within 1.5 paired standard
errors of the least, infinity among them: where the plan is right nothing is learned. Level and proof come from the randomised
rows alone (``level``).
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
from collections_opt.scoring.effect.residual.level import UNMEASURED, Level, SliceRows, measure_levels
from collections_opt.scoring.effect.residual.model import NAMES, FoldCoefficients, LearnedOutcome, ResidualModel, Rows
from collections_opt.scoring.effect.residual.regression import MIN_ARM_ROWS, Fitted, Prepared, arms, as_rows, fit_outcome, prepare
from collections_opt.scoring.effect.residual.ridge import sandwich
from collections_opt.scoring.effect.rows import LoggedContacts

Floats = NDArray[np.float64]

_DIGITS = 7
"""Significant digits that covariances are kept with."""


@dataclass(frozen=True)
class LearnedResiduals:
    """A learned model and what judges it.

    Attributes:
        model: to serve.
        contacts: the rows that it was learned from.
        rows: the randomised rows, aligned with ``predictions``.
        predictions: cross-fitted, under contact by the row's queue at the served level.
        balance: one test per queue with enough randomised rows, by queue id.
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
    fitted = tuple(fit_outcome(prepared, outcome) for outcome in range(len(NAMES)))
    progress("measure how strong effects are", 0.8)
    learned = _assembled(prepared, fitted, plan, version, tests)
    progress("learned", 1.0)
    return learned


def _assembled(
    prepared: Prepared, fitted: Sequence[Fitted], plan: CapacityPlan, version: str, tests: dict[str, BalanceTest]
) -> LearnedResiduals:
    contacts = prepared.contacts
    drawn = contacts.log.randomised
    measured = min(arms(contacts, drawn)) >= MIN_ARM_ROWS
    levels: tuple[Level, ...] = (UNMEASURED,) * len(fitted)
    level_covariance: Rows = ((0.0, 0.0), (0.0, 0.0))
    if measured:
        levels, level_covariance = measure_levels(
            [_slice(prepared, fit, outcome, drawn) for outcome, fit in enumerate(fitted)], contacts.person[drawn]
        )
    predictions = _predictions(prepared, fitted, levels, drawn)
    verdict = judge(fitted, levels if measured else None)
    model = ResidualModel(
        version,
        prepared.basis,
        describe_queues(prepared, plan, predictions, verdict),
        tuple(
            LearnedOutcome(
                name, None if np.isinf(fit.penalty) else fit.penalty, as_rows(fit.fit), level, _kept(prepared, fit, place)
            )
            for place, (name, fit, level) in enumerate(zip(NAMES, fitted, levels, strict=True))
        ),
        () if verdict.refused else _covariance(fitted, contacts.person),
        level_covariance,
        () if verdict.refused else _folds(fitted),
        int(drawn.sum()),
        verdict.warnings,
    )
    return LearnedResiduals(model, contacts, contacts.take(drawn), predictions, tests)


def _slice(prepared: Prepared, fit: Fitted, outcome: int, drawn: NDArray[np.bool_]) -> SliceRows:
    return SliceRows(
        prepared.left(outcome)[drawn],
        prepared.drawn[drawn],
        prepared.nuisance.chance[drawn],
        prepared.planned[drawn, outcome],
        fit.crossed[drawn],
    )


def _kept(prepared: Prepared, fit: Fitted, outcome: int) -> float:
    """Return how much of estimated effects other people's estimates confirm, between a half and 1.

    sum t u / sum t^2 of effects t and u of rows, weighted by (W - e)^2, estimated from people that share nobody.
    """
    planned, weight = prepared.planned[:, outcome], prepared.drawn**2
    one, other = planned + fit.crossed, planned + fit.apart
    return float(np.clip((weight * one * other).sum() / max(float((weight * one**2).sum()), 1e-12), 0.5, 1.0))


def _predictions(prepared: Prepared, fitted: Sequence[Fitted], levels: Sequence[Level], drawn: NDArray[np.bool_]) -> CrossFitted:
    """Return what rows by chance would do without and under contact, by models that their person was not among."""
    without = np.empty((int(drawn.sum()), 3))
    under = np.empty_like(without)
    for column, outcome in enumerate((CURE, DEFAULT)):
        change = levels[column].served * (prepared.planned[drawn, column] + fitted[column].crossed[drawn])
        without[:, outcome] = prepared.nuisance.without[drawn, column]
        under[:, outcome] = without[:, outcome] + change
    for made in (without, under):
        made[:, STAY] = 1.0 - made[:, CURE] - made[:, DEFAULT]
    return CrossFitted(without, under)


def _covariance(fitted: Sequence[Fitted], person: NDArray[np.bytes_]) -> Rows:
    """Return the lower triangle of the coefficients' covariance, cure first, as a model keeps it."""
    whole = sandwich([fit.rows for fit in fitted], [fit.fit for fit in fitted], person)
    return tuple(tuple(float(f"{cell:.{_DIGITS}g}") for cell in line[: index + 1]) for index, line in enumerate(whole.tolist()))


def _folds(fitted: Sequence[Fitted]) -> tuple[FoldCoefficients, ...]:
    cure, default = (fit.folds for fit in fitted)
    return tuple(FoldCoefficients((one[0], other[0]), (one[1], other[1])) for one, other in zip(cure, default, strict=True))
