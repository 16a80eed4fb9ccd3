"""Learn contact effects from recorded portfolios and their contact logs, and write the version for people to approve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from collections_opt.application.workspace import Workspace
from collections_opt.core.contact_log import ContactLog, LogSource
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.features import FEATURE_NAMES, FEATURE_SET_VERSION
from collections_opt.core.outcomes import CURE
from collections_opt.core.queues import CapacityPlan
from collections_opt.core.uplift import uplift_curve
from collections_opt.scoring import doubly_robust
from collections_opt.scoring.artifacts import Manifest
from collections_opt.scoring.effect_artifacts import EFFECT_ENGINE, EFFECT_KIND, effect_card, write_effect
from collections_opt.scoring.effect_experiment import Experiment
from collections_opt.scoring.effect_model import EffectModel
from collections_opt.scoring.effect_rows import EffectPeriod
from collections_opt.scoring.effect_segments import DEFAULT_SEGMENTS
from collections_opt.scoring.effect_threshold import ThresholdDesign
from collections_opt.scoring.effect_training import learn_effects


@dataclass(frozen=True)
class EffectTraining:
    """What to learn from: portfolios with the log of the contacts that followed each, under which plan's assumptions."""

    version: str
    logs: Sequence[tuple[str, ContactLog]]
    plan: CapacityPlan
    segments: Sequence[str] = DEFAULT_SEGMENTS
    thresholds: Sequence[ThresholdDesign] = ()
    seed: int = 1
    sources: Sequence[LogSource] = ()


@dataclass(frozen=True)
class EffectReport:
    """What was learned and where it was written."""

    model: EffectModel
    folder: Path
    row_count: int
    dropped_count: int
    metrics: dict[str, float]


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
    if created_at.tzinfo is None:
        raise refuse(Reason.INVALID_ARGUMENT, "created_at", "has no time zone.", "Pass one, such as +00:00.")
    periods, models = [], set()
    for portfolio_id, log in training.logs:
        portfolio = workspace.recorded.portfolio(portfolio_id)
        scorer = workspace.serving.pin(portfolio_id).scorer
        models.add(scorer.model_version)
        periods.append(EffectPeriod(portfolio, scorer.score(portfolio), log))
    learned = learn_effects(
        periods, training.plan, training.version, training.seed, training.segments, training.thresholds, progress
    )
    contacts = learned.contacts
    metrics = experiment_metrics(learned.experiment, training.seed)
    mark = "SIMULATED: " if any(source.simulated for source in training.sources) else ""
    source = f"{mark}{contacts.log.row_count:,} rows of contact logs of {len(periods)} portfolio(s)"
    manifest = Manifest(
        kind=EFFECT_KIND,
        version=training.version,
        feature_set_version=FEATURE_SET_VERSION,
        feature_names=FEATURE_NAMES,
        calibration_version="",
        files={},
        training={
            "portfolios": [portfolio_id for portfolio_id, _ in training.logs],
            "logs": [asdict(source) for source in training.sources],
            "plan": f"{training.plan.plan_id}/{training.plan.version}",
            "outcome_models": sorted(models),
            "row_count": contacts.log.row_count,
            "dropped_count": contacts.dropped_count,
            "randomised_count": learned.experiment.rows.log.row_count,
            "balance_p_value": {name: test.p_value for name, test in learned.experiment.balance.items()},
            "thresholds": [asdict(design) for design in training.thresholds],
            "seed": training.seed,
        },
        metrics=metrics,
        created_at=created_at.isoformat(timespec="seconds"),
        engine=EFFECT_ENGINE,
    )
    folder = write_effect(root, manifest, learned.model, effect_card(learned.model, source))
    return EffectReport(learned.model, folder, contacts.log.row_count, contacts.dropped_count, metrics)


def experiment_metrics(experiment: Experiment, seed: int) -> dict[str, float]:
    """Return Qini and AUUC of the cures by predicted effect, on predictions of accounts that nothing was fitted on."""
    rows, made = experiment.rows, experiment.predictions
    if not rows.log.row_count:
        return {}
    happened = (rows.log.outcome == CURE).astype(np.float64)
    psi = doubly_robust.scores(rows.log.contacted, rows.log.propensity, happened, made.without[:, CURE], made.under[:, CURE])
    curve = uplift_curve((made.under - made.without)[:, CURE], psi, rows.log.account_id, seed)
    return {
        "cure_qini": curve.qini.value,
        "cure_qini_low": curve.qini.low,
        "cure_qini_high": curve.qini.high,
        "cure_auuc": curve.auuc.value,
    }
