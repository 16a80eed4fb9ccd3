"""Learn contact effects from recorded portfolios and their contact logs, and write the version for people to approve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np

from collections_opt.application.training.own_columns import learned_own
from collections_opt.application.training.periods import RecordedPeriods, creation_text
from collections_opt.application.workspace import Workspace
from collections_opt.core.accounts.features import FEATURE_SET_VERSION
from collections_opt.core.accounts.own_features import OwnFeature, own_matrix
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import ContactLog, LogSource
from collections_opt.core.evaluation.uplift import uplift_curve
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.effect import doubly_robust
from collections_opt.scoring.effect.artifacts import (
    EFFECT_KIND,
    AnyEffectModel,
    effect_card,
    effect_feature_names,
    engine_of,
    write_effect,
)
from collections_opt.scoring.effect.experiment import CrossFitted
from collections_opt.scoring.effect.randomisation import BalanceTest
from collections_opt.scoring.effect.residual.learning import learn_residuals
from collections_opt.scoring.effect.residual.model import ResidualModel
from collections_opt.scoring.effect.residual.regression import MIN_ARM_ROWS, arms
from collections_opt.scoring.effect.rows import EffectPeriod, LoggedContacts, located, logged_contacts
from collections_opt.scoring.effect.segments import DEFAULT_SEGMENTS
from collections_opt.scoring.effect.threshold import ThresholdDesign
from collections_opt.scoring.effect.training import learn_effects
from collections_opt.scoring.outcome.leaks import check_told_alone
from collections_opt.scoring.versions.artifacts import Manifest

NOT_BY_RESIDUALS = f"the log holds fewer than {MIN_ARM_ROWS} contacted and as many held-out randomised rows, or uncontacted ones"


class EffectMethod(StrEnum):
    """How effects are learned."""

    RESIDUAL = "residual"
    """A linear R-learner on all rows, its level from the randomised ones."""
    SEGMENTS = "segments"
    """A likelihood by declared segments: the holdout's rows alone, thresholds, or averages of what the desk chose."""


@dataclass(frozen=True)
class EffectTraining:
    """What to learn from: portfolios with the log of the contacts that followed each, under which plan's assumptions.

    Attributes:
        version: name of the new version.
        logs: portfolios, each with its log.
        plan: its effects are the prior.
        method: how; None takes residuals where the log allows them and neither segments nor thresholds are declared.
        segments: features that effects by segment may depend on; None for the usual ones.
        thresholds: declared designs, for segments alone.
        seed: of folds and trees.
        sources: of the logs.
    """

    version: str
    logs: Sequence[tuple[str, ContactLog]]
    plan: CapacityPlan
    method: EffectMethod | None = None
    segments: Sequence[str] | None = None
    thresholds: Sequence[ThresholdDesign] = ()
    seed: int = 1
    sources: Sequence[LogSource] = ()


@dataclass(frozen=True)
class EffectReport:
    """What was learned and where it was written.

    Attributes:
        model: the effects.
        method: how they were learned.
        why: why not by residuals, where nobody chose; empty otherwise.
        folder: of the version.
        row_count: rows learned from.
        dropped_count: log rows left out.
        metrics: figures of the manifest.
    """

    model: AnyEffectModel
    method: EffectMethod
    why: str
    folder: Path
    row_count: int
    dropped_count: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class _Learned:
    """What either method gives: a model, its rows, the randomised ones with cross-fitted predictions, tests of balance."""

    model: AnyEffectModel
    contacts: LoggedContacts
    randomised: LoggedContacts
    predictions: CrossFitted
    balance: dict[str, BalanceTest]


def train_effects(
    workspace: Workspace,
    root: Path,
    training: EffectTraining,
    created_at: datetime,
    progress: Callable[[str, float], None] = lambda _s, _f: None,
) -> EffectReport:
    """Score the portfolios with the model that serves them, learn the effects and write ``root/effect/version``.

    Raises:
        CollectionsError: NOT_FOUND for an unknown portfolio; MODEL_UNAVAILABLE; INVALID_ARGUMENT for a log that is not what it
            says or a time without zone; ALREADY_EXISTS when the version exists with other bytes.
    """
    made_at = creation_text(created_at)
    periods, models = [], set()
    for portfolio_id, log in training.logs:
        portfolio = workspace.recorded.portfolio(portfolio_id)
        scorer = workspace.serving.pin(portfolio_id).scorer
        models.add(scorer.model_version)
        periods.append(EffectPeriod(portfolio, scorer.score(portfolio), log))
    method, why = _method(periods, training)
    own = _own_columns(periods, training) if method is EffectMethod.RESIDUAL else ()
    learned = _learned(periods, training, method, own, progress)
    contacts = learned.contacts
    metrics = experiment_metrics(learned.randomised, learned.predictions, training.seed) | _level_metrics(learned.model)
    mark = "SIMULATED: " if any(source.simulated for source in training.sources) else ""
    source = f"{mark}{contacts.log.row_count:,} rows of contact logs of {len(periods)} portfolio(s)"
    manifest = Manifest(
        kind=EFFECT_KIND,
        version=training.version,
        feature_set_version=FEATURE_SET_VERSION,
        feature_names=effect_feature_names(own),
        calibration_version="",
        files={},
        training={
            "portfolios": [portfolio_id for portfolio_id, _ in training.logs],
            "logs": [asdict(source) for source in training.sources],
            "method": method.value,
            "plan": f"{training.plan.plan_id}/{training.plan.version}",
            "outcome_models": sorted(models),
            "row_count": contacts.log.row_count,
            "dropped_count": contacts.dropped_count,
            "randomised_count": learned.randomised.log.row_count,
            "balance_p_value": {name: test.p_value for name, test in learned.balance.items()},
            "thresholds": [asdict(design) for design in training.thresholds],
            "seed": training.seed,
        },
        metrics=metrics,
        created_at=made_at,
        engine=engine_of(learned.model),
        own_columns=own,
    )
    folder = write_effect(root, manifest, learned.model, effect_card(learned.model, source))
    return EffectReport(learned.model, method, why, folder, contacts.log.row_count, contacts.dropped_count, metrics)


def _method(periods: Sequence[EffectPeriod], training: EffectTraining) -> tuple[EffectMethod, str]:
    """Return how to learn, and why not by residuals where nobody chose.

    Raises:
        CollectionsError: INVALID_ARGUMENT for residuals with segments or thresholds, which they have no use for.
    """
    declared = [name for name, value in (("segment", training.segments), ("threshold", training.thresholds)) if value]
    if training.method is EffectMethod.RESIDUAL and declared:
        told = f"residuals have no use for a {declared[0]}."
        raise refuse(Reason.INVALID_ARGUMENT, declared[0], told, "Leave it out, or take the method segments.")
    if training.method is not None:
        return training.method, ""
    if declared:
        return EffectMethod.SEGMENTS, f"a {declared[0]} was declared"
    contacts = logged_contacts(periods, training.plan)
    drawn = contacts.log.randomised
    if min(*arms(contacts, drawn), *arms(contacts, drawn | True)) < MIN_ARM_ROWS:
        return EffectMethod.SEGMENTS, NOT_BY_RESIDUALS
    return EffectMethod.RESIDUAL, ""


def _own_columns(periods: Sequence[EffectPeriod], training: EffectTraining) -> tuple[OwnFeature, ...]:
    """Return the own columns to learn from.

    Raises:
        CollectionsError: as ``learned_own``; INVALID_ARGUMENT naming every column that tells by itself who cured or defaulted.
    """
    names = tuple(portfolio_id for portfolio_id, _ in training.logs)
    own = learned_own(RecordedPeriods(names, tuple(period.portfolio for period in periods)))
    check_own_effects(periods, own)
    return own


def check_own_effects(periods: Sequence[EffectPeriod], own: Sequence[OwnFeature]) -> dict[str, float]:
    """Return how well each own column alone tells the outcomes of a log.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every column that tells too well: it was filled in after the outcome.
    """
    if not own:
        return {}
    places = [located(period.portfolio, period.log) for period in periods]
    found = zip(periods, places, strict=True)
    outcome = np.concatenate([period.log.outcome[usable] for period, (usable, _) in found])
    matrix = np.concatenate([own_matrix(period.portfolio, own)[rows] for period, (_, rows) in zip(periods, places, strict=True)])
    return check_told_alone(matrix, {"cured": outcome == CURE, "defaulted": outcome == DEFAULT}, own)


def _learned(
    periods: Sequence[EffectPeriod],
    training: EffectTraining,
    method: EffectMethod,
    own: tuple[OwnFeature, ...],
    progress: Callable[[str, float], None],
) -> _Learned:
    if method is EffectMethod.RESIDUAL:
        contacts = logged_contacts(periods, training.plan, own=own)
        found = learn_residuals(contacts, training.plan, training.version, training.seed, progress)
        return _Learned(found.model, found.contacts, found.rows, found.predictions, found.balance)
    segments = training.segments or DEFAULT_SEGMENTS
    made = learn_effects(periods, training.plan, training.version, training.seed, segments, training.thresholds, progress)
    experiment = made.experiment
    return _Learned(made.model, made.contacts, experiment.rows, experiment.predictions, experiment.balance)


def _level_metrics(model: AnyEffectModel) -> dict[str, float]:
    """Return the levels of effects learned by residuals, with intervals, z of the learned parts, and the money scales."""
    found: dict[str, float] = {}
    if isinstance(model, ResidualModel):
        if model.money is not None:
            found |= {f"{name}_money_scale": scale.estimate for name, scale in model.money.named.items()}
            found |= {f"{name}_money_scale_error": scale.standard_error for name, scale in model.money.named.items()}
        for outcome in model.outcomes:
            low, high = outcome.level.interval
            if low < high:
                found |= {
                    f"{outcome.name}_level": outcome.level.estimate,
                    f"{outcome.name}_level_low": low,
                    f"{outcome.name}_level_high": high,
                    f"{outcome.name}_encompassing_z": outcome.level.encompassing_z,
                }
    return found


def experiment_metrics(rows: LoggedContacts, made: CrossFitted, seed: int) -> dict[str, float]:
    """Return Qini and AUUC of the cures by predicted effect, on predictions of accounts that nothing was fitted on."""
    if not rows.log.row_count:
        return {}
    happened = (rows.log.outcome == CURE).astype(np.float64)
    psi = doubly_robust.scores(rows.log.contacted, rows.log.propensity, happened, made.without[:, CURE], made.under[:, CURE])
    curve = uplift_curve((made.under - made.without)[:, CURE], psi, rows.person, seed)
    return {
        "cure_qini": curve.qini.value,
        "cure_qini_low": curve.qini.low,
        "cure_qini_high": curve.qini.high,
        "cure_auuc": curve.auuc.value,
    }
