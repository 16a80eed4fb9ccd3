"""Train the outcome model and its scorecard, judge them on a later period that nothing was fitted on, write the artifacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import sklearn
from numpy.typing import NDArray

from collections_opt.application.models.card import outcome_card, scorecard_card, size_curve
from collections_opt.application.models.registry_policy import FILE, DeclaredApproval, RegistryPolicy, write_policy
from collections_opt.application.training.periods import creation_text
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURE_SET_VERSION, build_features, definitions
from collections_opt.core.accounts.own_features import OwnFeature, check_declared_alike, own_features
from collections_opt.core.accounts.protected import check_no_protected
from collections_opt.core.evaluation.fair_treatment import UNKNOWN_GROUP
from collections_opt.core.evaluation.own_drift import associations
from collections_opt.core.models.domain import ModelDomain, domain_of
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, TRAINING_MONTHS, load_accounts, snapshot
from collections_opt.datasets.files.group_files import GroupTable, align_groups
from collections_opt.datasets.snapshots import Snapshot
from collections_opt.scoring.evaluation.metrics import (
    CLASSES,
    calibrated_of,
    expected_calibration_error,
    outcome_metrics,
    worst_calibration_sentence,
)
from collections_opt.scoring.evaluation.probabilities import evaluate_class
from collections_opt.scoring.outcome.artifacts import write_artifact
from collections_opt.scoring.outcome.calibration import IDENTITY, Calibration, fit_shifts
from collections_opt.scoring.outcome.leaks import check_own_leaks
from collections_opt.scoring.outcome.predictors import SCORECARD, Predictor
from collections_opt.scoring.outcome.rows import TrainingPeriod, always_known, unseen_sentence
from collections_opt.scoring.outcome.scorecard_training import train_scorecard
from collections_opt.scoring.outcome.training import TrainedModel, train
from collections_opt.scoring.versions.artifacts import LIGHTGBM, OUTCOME_KIND, Manifest, read_manifest

BUNDLED_SEED = 1
"""Seed of the shipped model: of 1, 2 and 3 the one with the lowest log loss on June and July, each predicted by what was known
before; August was not asked."""

BUNDLED_DESCRIPTION = """\
Credit-card accounts two or more months past due, Taiwan 2005 (I-C. Yeh, UCI, CC BY 4.0). Outcome is next month's status: cure at
0 or less, default at 3 months or more for accounts below it, stay otherwise. Arrears and days past due are derived."""
BUNDLED_LIMITS = """\
One lender, one product, one summer. Outcomes are judged after one month, so the horizon of value parameters is an extrapolation.
No contact was recorded: the probabilities mix worked and unworked accounts. Sex, marriage, education and age are not used.
The level of a month moves by about a fifth of its log-odds and cannot be foretold from three months. An error of .015 for cure
and stay was aimed at and is missed: July, predicted by May and June, has .025 even once its level is known, and sampling alone
gives a perfect model about as much as .015. August chose nothing, but it was looked at six times while the procedure was built:
its figures are a little better than those of a month that nobody has seen."""

NO_CONTACT = "no contact was recorded: the probabilities mix worked and unworked accounts"

Figure = tuple[float, tuple[float, float] | None]
"""A figure with its 95 % interval, where it has one."""

EVALUATION_SEED = 1
"""Of the draws behind figures that need any; none of them is recorded in a manifest."""

SCORECARD_SUFFIX = "-scorecard"
"""What the scorecard's version adds to that of the model it is trained beside."""


@dataclass(frozen=True)
class TrainingData:
    """Periods in order of time to train on, a later one to judge on, and what the card says of them.

    ``groups`` are protected groups of accounts, for the report on own columns alone; no model reads them.
    """

    dataset: str
    description: str
    limits: str
    periods: Sequence[TrainingPeriod]
    later: TrainingPeriod
    groups: GroupTable | None = None


@dataclass(frozen=True)
class TrainingReport:
    """What was trained and how well it does on the later period that nothing was fitted on.

    ``own_columns`` says of each own column how well it alone tells the outcome, and how it goes with protected groups.
    """

    version: str
    folder: Path
    rounds: Mapping[str, int]
    calibration: str
    candidates: dict[str, float]
    metrics: dict[str, float]
    scorecard_metrics: dict[str, float]
    calibrated_worst: str
    own_columns: dict[str, dict[str, Any]] = field(default_factory=dict)


def training_period(shot: Snapshot, name: str) -> TrainingPeriod:
    """Return a snapshot's accepted accounts with their outcomes aligned by account id."""
    portfolio = admit(shot.raw).portfolio
    return TrainingPeriod(name, portfolio, shot.outcome[shot.rows_of(portfolio)])


def bundled_data() -> TrainingData:
    """Return the bundled accounts: May to July to train on, and August, on which nothing may be fitted."""
    accounts = load_accounts()
    periods = [training_period(snapshot(accounts, month), f"2005-{month:02d}") for month in TRAINING_MONTHS]
    later = training_period(snapshot(accounts, PORTFOLIO_MONTH), f"2005-{PORTFOLIO_MONTH:02d}")
    return TrainingData("uci_credit_card", BUNDLED_DESCRIPTION, BUNDLED_LIMITS, periods, later)


def train_bundled_model(
    root: Path, version: str, seed: int, created_at: datetime, progress: Callable[[str, float], None] = lambda _s, _f: None
) -> TrainingReport:
    """Train on the bundled accounts; as ``train_model``."""
    return train_model(root, bundled_data(), version, seed, created_at, progress)


def train_model(
    root: Path,
    data: TrainingData,
    version: str,
    seed: int,
    created_at: datetime,
    progress: Callable[[str, float], None] = lambda _s, _f: None,
) -> TrainingReport:
    """Train, judge out of time and write the model and its scorecard; a folder without registry.toml becomes self-approving.

    Raises:
        CollectionsError: ALREADY_EXISTS when a version exists with other bytes; INVALID_ARGUMENT for a time without zone,
            or for a feature that is a protected attribute or a listed proxy; as ``check_declared_alike`` and ``check_own_leaks``.
    """
    creation_text(created_at)
    later = data.later
    check_declared_alike({period.name: period.portfolio for period in (*data.periods, later)})
    own = own_features([period.portfolio for period in data.periods])
    check_no_protected((*FEATURE_NAMES, *(one.name for one in own)), "features")
    leaks = check_own_leaks(data.periods, own)
    model = train(data.periods, seed, progress, own)
    card = train_scorecard(data.periods, own)
    features = build_features(later.portfolio, own).matrix
    facts = _facts(data, model, own, leaks)
    boosted_facts = {
        **facts,
        "rounds": dict(model.rounds),
        "size_curves": {step: size_curve(curve) for step, curve in model.curves.items()},
        "parameters": dict(model.parameters),
        "forward_calibration": forward_calibration(model),
        "calibration_log_loss": {name: round(loss, 9) for name, loss in model.candidates.items()},
        "lightgbm": lightgbm.__version__,
    }
    judged = _judged(model.predictor, model.calibration, features, later)
    known = _Known(domain_of([period.portfolio for period in data.periods]), always_known(data.periods, own), own)
    manifest = _manifest(version, LIGHTGBM, boosted_facts, judged, created_at, known)
    folder = write_artifact(
        root, manifest, model.predictor, model.calibration, outcome_card(manifest, model, data.description, data.limits)
    )
    scorecard_facts = {
        "strength": card.strength,
        "strength_log_loss": {str(strength): round(loss, 9) for strength, loss in card.candidates.items()},
        "scikit_learn": sklearn.__version__,
    }
    card_judged = _judged(card.scorecard, card.calibration, features, later)
    other = _manifest(f"{version}{SCORECARD_SUFFIX}", SCORECARD, {**facts, **scorecard_facts}, card_judged, created_at, known)
    write_artifact(root, other, card.scorecard, card.calibration, scorecard_card(other, data.description, data.limits))
    declare_own(root, version)
    return TrainingReport(
        version,
        folder,
        model.rounds,
        model.calibration.method,
        dict(model.candidates),
        dict(manifest.metrics),
        dict(other.metrics),
        worst_calibration_sentence(calibrated_of(manifest.metrics, manifest.metric_intervals)),
        facts.get("own_columns", {}),
    )


def _facts(data: TrainingData, model: TrainedModel, own: Sequence[OwnFeature], alone: Mapping[str, float]) -> dict[str, Any]:
    """Return what the manifests of both models say of their training."""
    periods = (*data.periods, data.later)
    facts: dict[str, Any] = {
        "dataset": data.dataset,
        "periods": list(model.periods),
        "judged_on": data.later.name,
        "digest": model.training_digest,
        "unseen_outcomes": {period.name: dict(period.left_out) for period in periods if period.left_out},
        "methods": data.later.method or {"contact": NO_CONTACT},
    }
    unseen = unseen_sentence(data.later)
    facts |= {"judged_unseen": unseen} if unseen else {}
    return facts | ({"own_columns": _about_own(data, own, alone)} if own else {})


def _about_own(data: TrainingData, own: Sequence[OwnFeature], alone: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Return of each own column how well it alone tells the outcome, and how it goes with groups: null where none were given."""
    portfolios = [period.portfolio for period in data.periods]
    table, found = data.groups, None
    if table is not None:
        ids = [portfolio.column("account_id") for portfolio in portfolios]
        groups = [align_groups(table.account_id, table.attributes, one, "the group file").held for one in ids]
        found = associations(portfolios, groups, own, UNKNOWN_GROUP)
    return {
        one.field: {
            "alone_auc": alone[one.field],
            "association": {name: round(v, 6) for name, v in found[one.field].items()} if found is not None else None,
        }
        for one in own
    }


def forward_calibration(model: TrainedModel) -> dict[str, dict[str, dict[str, float]]]:
    """Return how training periods but the first were calibrated, each predicted by a model of the earlier ones, by outcome.

    ``ece`` as predicted; ``ece_own_level``, ``ece_if_perfect`` and ``slope`` once the level of the period is known, which nobody
    knows in time: what is left then no choice of level can mend.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, one in zip(model.periods[-len(model.later) :], model.later, strict=True):
        level = IDENTITY.with_shifts(fit_shifts(one.raw, one.outcome, one.weight)).apply(one.raw)
        weight = None if bool((one.weight == 1.0).all()) else one.weight
        found[name] = {}
        for title, index in CLASSES.items():
            happened = one.outcome == index
            judged = evaluate_class(level[:, index], happened, EVALUATION_SEED, weight=weight)
            if judged is not None:
                ece = expected_calibration_error(one.raw[:, index], happened, weight=weight)
                figures = {"ece": ece, "ece_own_level": judged.ece, "ece_if_perfect": judged.ece_if_perfect}
                figures |= {"slope": judged.slope.value, "slope_low": judged.slope.low, "slope_high": judged.slope.high}
                found[name][title] = {figure: round(value, 6) for figure, value in figures.items()}
    return found


@dataclass(frozen=True)
class _Known:
    """What a manifest says that a model knows: its domain, what every training account had, and own columns."""

    domain: ModelDomain
    always: tuple[str, ...]
    own: tuple[OwnFeature, ...]


def _judged(
    predictor: Predictor, calibration: Calibration, features: NDArray[np.float32], later: TrainingPeriod
) -> Mapping[str, Figure]:
    return judged_figures(calibration.apply(predictor.raw(features)), later.outcome, later.weight)


def judged_figures(
    probability: NDArray[np.float64], outcome: NDArray[np.int64], weight: NDArray[np.float64] | None
) -> Mapping[str, Figure]:
    """Return the figures of probabilities, float64 (n, 3), by outcomes that nothing was fitted on, some with their interval.

    Seen accounts stand for the others by their weights.
    """
    found: dict[str, Figure] = {name: (value, None) for name, value in outcome_metrics(probability, outcome, weight).items()}
    for name, index in CLASSES.items():
        judged = evaluate_class(probability[:, index], outcome == index, EVALUATION_SEED, weight=weight)
        if judged is not None:
            found |= {f"{name}_ks": (judged.ks, None), f"{name}_brier_skill": (judged.brier_skill, None)}
            found[f"{name}_ece_if_perfect"] = (judged.ece_if_perfect, None)
            for figure, estimate in (("auc", judged.auc), ("slope", judged.slope), ("intercept", judged.intercept)):
                found[f"{name}_{figure}"] = (estimate.value, (round(estimate.low, 6), round(estimate.high, 6)))
    return {name: (round(value, 6), interval) for name, (value, interval) in found.items()}


def _manifest(
    version: str,
    engine: str,
    training: Mapping[str, Any],
    judged: Mapping[str, Figure],
    created_at: datetime,
    known: _Known,
) -> Manifest:
    return Manifest(
        kind=OUTCOME_KIND,
        version=version,
        feature_set_version=FEATURE_SET_VERSION,
        feature_names=tuple(one.name for one in definitions(known.own)),
        calibration_version="",
        files={},
        training=training,
        metrics={name: value for name, (value, _) in judged.items()},
        metric_intervals={name: interval for name, (_, interval) in judged.items() if interval},
        created_at=creation_text(created_at),
        engine=engine,
        domain=known.domain,
        always_known=known.always,
        own_columns=known.own,
    )


def declare_own(root: Path, version: str) -> None:
    """Make a folder without a policy self-approving, with the version as its declared champion; an existing policy is kept."""
    if not (root / FILE).exists():
        declared = [
            DeclaredApproval(ModelKind.OUTCOME, name, read_manifest(root, name)[1], name == version, "self")
            for name in (version, f"{version}{SCORECARD_SUFFIX}")
        ]
        write_policy(root, RegistryPolicy(self_approving=True, declared=tuple(declared)))
