"""Learn recoveries from recorded portfolios and what came back of their charged-off accounts; write a version to approve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from collections_opt.application.models.recovery_card import recovery_card, recovery_intervals, recovery_metrics
from collections_opt.application.training.own_columns import learned_own
from collections_opt.application.training.periods import creation_text, read_periods
from collections_opt.application.workspace import Workspace
from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.recovered_accounts import RecoveredAccounts
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import LogSource
from collections_opt.scoring.recovery.artifacts import RECOVERY_ENGINE, RECOVERY_KIND, write_recovery
from collections_opt.scoring.recovery.evaluation import RecoveryEvaluation, judge_recoveries
from collections_opt.scoring.recovery.features import (
    RECOVERY_FEATURE_SET_VERSION,
    build_recovery_features,
    recovery_feature_names,
    recovery_signs,
)
from collections_opt.scoring.recovery.model import RecoveryModel
from collections_opt.scoring.recovery.rows import RecoveryRows, joined, without_seen
from collections_opt.scoring.recovery.training import check_no_leaks, learn_hurdle
from collections_opt.scoring.versions.artifacts import Manifest

MIN_PERIODS = 3
"""To fit, to calibrate and to judge: none of them may see another's accounts."""

MIN_WORKOUT_DAYS = 365
"""Recoveries of a shorter time are not those of a default: what comes later would count as lost."""


@dataclass(frozen=True)
class RecoveryTraining:
    """What to learn from: portfolios in order of time, each with what came back of the accounts that it held before.

    Attributes:
        version: name of the new version.
        recoveries: by portfolio.
        seed: of training and of the draws behind intervals.
        min_workout_days: recoveries of a shorter time are refused.
        sources: files that they were read from.
        told: what the manifest says beside.
        money: what the card says of how money counts, "" where it is as files must have it.
    """

    version: str
    recoveries: Sequence[tuple[str, RecoveredAccounts]]
    seed: int = 1
    min_workout_days: int = MIN_WORKOUT_DAYS
    sources: Sequence[LogSource] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    money: str = ""


@dataclass(frozen=True)
class RecoveryReport:
    """What was learned, its figures on the last period, and where it was written."""

    model: RecoveryModel
    judged: RecoveryEvaluation
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    row_counts: tuple[int, int, int]
    dropped_count: int
    folder: Path


def train_recoveries(
    workspace: Workspace,
    root: Path,
    training: RecoveryTraining,
    created_at: datetime,
    progress: Callable[[str, float], None] = lambda _s, _f: None,
) -> RecoveryReport:
    """Learn the recovered share and write ``root/recovery/version``.

    Raises:
        CollectionsError: NOT_FOUND for an unknown portfolio; INVALID_ARGUMENT for too few periods or accounts, portfolios out of
            order, an account described on or after its charge-off, recoveries of too short a time, or a time without zone;
            ALREADY_EXISTS when the version exists with other bytes.
    """
    made_at = creation_text(created_at)
    progress("make features", 0.0)
    recorded = read_periods(workspace, [portfolio_id for portfolio_id, _ in training.recoveries], MIN_PERIODS)
    own = learned_own(recorded)
    given = zip(recorded.portfolios, training.recoveries, strict=True)
    periods = without_seen([recovery_rows(accounts, one, training.min_workout_days, own) for accounts, (_, one) in given])
    fitted, calibrating, last = joined(periods[:-2]), periods[-2], periods[-1]
    check_no_leaks(joined(periods), recovery_feature_names(own))
    hurdle = learn_hurdle(fitted, calibrating, recovery_signs(own), training.seed, lambda done: progress("fit", 0.2 + 0.6 * done))
    model = RecoveryModel(training.version, hurdle, own)
    progress("judge", 0.8)
    judged = judge_recoveries(model.hurdle, last, float(fitted.share.mean()), training.seed)
    metrics, intervals = recovery_metrics(judged), recovery_intervals(judged)
    counts = (fitted.count, calibrating.count, last.count)
    dropped = sum(part.dropped_count for part in periods)
    manifest = Manifest(
        kind=RECOVERY_KIND,
        version=training.version,
        feature_set_version=RECOVERY_FEATURE_SET_VERSION,
        feature_names=recovery_feature_names(own),
        calibration_version="line-by-step",
        files={},
        training={
            **recorded.told(),
            "recoveries": [asdict(source) for source in training.sources],
            "fitted_count": counts[0],
            "calibrated_count": counts[1],
            "judged_count": counts[2],
            "dropped_count": dropped,
            "shortest_workout_days": int(np.concatenate([one.workout_days for _, one in training.recoveries]).min()),
            "seed": training.seed,
            **training.told,
        },
        metrics=metrics,
        created_at=made_at,
        engine=RECOVERY_ENGINE,
        metric_intervals=intervals,
        own_columns=own,
    )
    simulated = any(source.simulated for source in training.sources)
    card = recovery_card(model, judged, counts, recorded.dates[-1], simulated, training.money)
    progress("write", 0.95)
    return RecoveryReport(model, judged, metrics, intervals, counts, dropped, write_recovery(root, manifest, model, card))


def recovery_rows(
    portfolio: Portfolio,
    recovered: RecoveredAccounts,
    min_workout_days: int = MIN_WORKOUT_DAYS,
    own: Sequence[OwnFeature] = (),
) -> RecoveryRows:
    """Return the charged-off accounts of a portfolio as they were before, beside what came back.

    Raises:
        CollectionsError: INVALID_ARGUMENT for an account charged off by the portfolio's day, or a workout that is too short.
    """
    late = np.flatnonzero(recovered.charged_off_on <= np.datetime64(portfolio.as_of_date, "D"))
    if late.size:
        problem = f"is not after the portfolio's {portfolio.as_of_date}: {late.size} row(s)."
        remedy = "Give a portfolio that describes the accounts before their charge-off."
        raise refuse(Reason.INVALID_ARGUMENT, f"charged_off_on[{late[0]}]", problem, remedy)
    short = np.flatnonzero(recovered.workout_days < min_workout_days)
    if short.size:
        told = f"counts {recovered.workout_days[short[0]]} days; {short.size} row(s) have fewer than {min_workout_days}."
        remedy = "Give accounts charged off longer ago; what comes later would be learned as lost."
        raise refuse(Reason.INVALID_ARGUMENT, f"recovered_until[{short[0]}]", told, remedy)
    known = portfolio.column("account_id")
    place = np.minimum(np.searchsorted(known, recovered.account_id), max(known.size - 1, 0))
    found = known[place] == recovered.account_id if known.size else np.zeros(recovered.row_count, dtype=bool)
    order = np.argsort(place[found], kind="stable")
    return RecoveryRows(
        build_recovery_features(portfolio.take(place[found][order]), own),
        recovered.exposure_minor[found][order].astype(np.float64),
        recovered.recovered_minor[found][order].astype(np.float64),
        recovered.account_id[found][order],
        int((~found).sum()),
    )
