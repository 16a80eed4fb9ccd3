"""Train the outcome model on the bundled credit-card accounts, May to July only, judge it on August, and write the artifact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import lightgbm
import numpy as np
import sklearn

from collections_opt.application.registry_policy import FILE, DeclaredApproval, RegistryPolicy, write_policy
from collections_opt.core.admission import admit
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.features import FEATURE_NAMES, FEATURE_SET_VERSION, FEATURES, build_features
from collections_opt.core.model_lifecycle import ModelKind
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, TRAINING_MONTHS, load_accounts, snapshot
from collections_opt.datasets.snapshots import Snapshot
from collections_opt.scoring.artifacts import OUTCOME_KIND, Manifest, read_manifest, write_artifact
from collections_opt.scoring.metrics import outcome_metrics
from collections_opt.scoring.training import TrainedModel, TrainingPeriod, train


@dataclass(frozen=True)
class TrainingReport:
    """What was trained and how well it does on the later month that nothing was fitted on."""

    version: str
    folder: Path
    rounds: int
    calibration: str
    candidates: dict[str, float]
    metrics: dict[str, float]


def training_period(shot: Snapshot, name: str) -> TrainingPeriod:
    """Return a snapshot's accepted accounts with their outcomes aligned by account id."""
    portfolio = admit(shot.raw).portfolio
    ids = np.array(shot.raw.columns["account_id"].tolist(), dtype="S")
    order = np.argsort(ids)
    rows = order[np.searchsorted(ids[order], portfolio.column("account_id"))]
    return TrainingPeriod(name, portfolio, shot.outcome[rows])


def train_bundled_model(
    root: Path, version: str, seed: int, created_at: datetime, progress: Callable[[str, float], None] = lambda _s, _f: None
) -> TrainingReport:
    """Train, judge out of time and write ``root/outcome/version``; a folder without registry.toml becomes self-approving.

    Raises:
        CollectionsError: ALREADY_EXISTS when the version exists with other bytes; INVALID_ARGUMENT for a time without zone.
    """
    if created_at.tzinfo is None:
        raise refuse(Reason.INVALID_ARGUMENT, "created_at", "has no time zone.", "Pass one, such as +00:00.")
    accounts = load_accounts()
    periods = [training_period(snapshot(accounts, month), f"2005-{month:02d}") for month in TRAINING_MONTHS]
    model = train(periods, seed, progress)
    later = training_period(snapshot(accounts, PORTFOLIO_MONTH), f"2005-{PORTFOLIO_MONTH:02d}")
    raw = np.asarray(model.booster.predict(build_features(later.portfolio).matrix), dtype=np.float64)
    metrics = {name: round(v, 9) for name, v in outcome_metrics(model.calibration.apply(raw), later.outcome).items()}
    manifest = Manifest(
        kind=OUTCOME_KIND,
        version=version,
        feature_set_version=FEATURE_SET_VERSION,
        feature_names=FEATURE_NAMES,
        calibration_version="",
        files={},
        training=_training_facts(model, later.name),
        metrics=metrics,
        created_at=created_at.isoformat(timespec="seconds"),
    )
    folder = write_artifact(root, manifest, model.booster.model_to_string(), model.calibration, model_card(manifest, model))
    declare_own(root, version)
    return TrainingReport(version, folder, model.rounds, model.calibration.method, dict(model.candidates), metrics)


def _training_facts(model: TrainedModel, judged_on: str) -> dict[str, object]:
    return {
        "dataset": "uci_credit_card",
        "periods": list(model.periods),
        "judged_on": judged_on,
        "rounds": model.rounds,
        "digest": model.training_digest,
        "parameters": dict(model.parameters),
        "calibration_log_loss": {name: round(loss, 9) for name, loss in model.candidates.items()},
        "lightgbm": lightgbm.__version__,
        "scikit_learn": sklearn.__version__,
    }


def declare_own(root: Path, version: str) -> None:
    """Make a folder without a policy self-approving, with the version as its declared champion; an existing policy is kept."""
    if not (root / FILE).exists():
        declared = DeclaredApproval(ModelKind.OUTCOME, version, read_manifest(root, version)[1], True, "self")
        write_policy(root, RegistryPolicy(self_approving=True, declared=(declared,)))


def model_card(manifest: Manifest, model: TrainedModel) -> str:
    """Return the model card in Markdown: purpose, data, features, figures out of time, limits."""
    figures = "\n".join(f"| {name} | {value:.4f} |" for name, value in sorted(manifest.metrics.items()))
    features = "\n".join(f"| {f.name} | {f.meaning} | {f.unit} |" for f in FEATURES)
    losses = ", ".join(f"{name} {loss:.5f}" for name, loss in sorted(model.candidates.items()))
    judged, trained = manifest.training["judged_on"], ", ".join(model.periods)
    return f"""# Outcome model {manifest.version}

Probability of cure, default and stay without contact; one multiclass LightGBM ({model.rounds} rounds), calibrated by
{model.calibration.method}. Trained on {trained}; judged on {judged}, which nothing was fitted on.

## Data
Credit-card accounts two or more months past due, Taiwan 2005 (I-C. Yeh, UCI, CC BY 4.0). Outcome is next month's status: cure at
0 or less, default at 3 months or more for accounts below it, stay otherwise. Arrears and days past due are derived.

## Figures out of time ({judged})
| figure | value |
|---|---|
{figures}

Calibration chosen by log loss on the last training period, fitted on out-of-fold predictions of earlier ones: {losses}.

## Features ({manifest.feature_set_version})
| feature | meaning | unit |
|---|---|---|
{features}

## Limits
One lender, one product, one summer. Outcomes are judged after one month, so the horizon of value parameters is an extrapolation.
No contact was recorded: the probabilities mix worked and unworked accounts. Sex, marriage, education and age are not used.
"""
