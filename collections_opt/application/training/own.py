"""A lender's own history as training data: accounts through the same door as a portfolio, outcomes aligned by account id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.training.outcome import TrainingData
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.files.training_files import CENSORED, LabelledAccounts, TrainingFiles
from collections_opt.scoring.outcome.rows import TrainingPeriod
from collections_opt.scoring.outcome.weights import weights_by_features, weights_by_time

MIN_PER_OUTCOME = 30
"""Accounts of each outcome in every period: fewer say nothing about a probability."""

_NAMES = {CURE: "CURE", DEFAULT: "DEFAULT", STAY: "STAY"}


def own_data(settings: TrainingFiles, labelled: Sequence[LabelledAccounts]) -> TrainingData:
    """Return training data: the last period is judged on, the others are trained on; quarantined rows are left out.

    Raises:
        CollectionsError: as ``admit``; INVALID_ARGUMENT for an account without an outcome or with two, and for a period with
            too few accounts of an outcome.
    """
    periods = [_period(one) for one in labelled]
    told = (settings.dataset, settings.description.strip(), settings.limits.strip())
    return TrainingData(*told, periods[:-1], periods[-1], labelled[0].groups if labelled else None)


def _period(labelled: LabelledAccounts) -> TrainingPeriod:
    portfolio = admit(labelled.raw).portfolio
    wanted = portfolio.column("account_id")
    order = np.argsort(labelled.account_id, kind="stable")
    known = labelled.account_id[order]
    repeated = known[1:][known[1:] == known[:-1]]
    found = np.minimum(np.searchsorted(known, wanted), known.size - 1)
    lacking = wanted[known[found] != wanted]
    for ids, problem in ((repeated, "occurs twice"), (lacking, "has no outcome")):
        if ids.size:
            told = f"{ids[0].decode('utf-8', 'replace')} {problem} in {labelled.name} ({ids.size:,} such accounts)."
            raise refuse(Reason.INVALID_ARGUMENT, "account_id", told, "Send one outcome for every account of the period.")
    rows = order[found]
    days = None if labelled.days is None else labelled.days[rows]
    contacted = None if labelled.contacted is None else labelled.contacted[rows]
    return period_of(labelled.name, portfolio, labelled.outcome[rows], days, contacted)


def period_of(
    title: str,
    portfolio: Portfolio,
    outcome: NDArray[np.int64],
    days: NDArray[np.int64] | None,
    contacted: NDArray[np.bool_] | None,
) -> TrainingPeriod:
    """Return a period of accounts whose outcome without contact was seen, standing for all.

    Args:
        title: of the period.
        portfolio: n accounts.
        outcome: int64 (n,) CURE, DEFAULT, STAY or a code of ``CENSORED``.
        days: int64 (n,) until the outcome or the end of what was seen; None where they are not known.
        contacted: bool (n,); None where contacts are not recorded.

    Raises:
        CollectionsError: INVALID_ARGUMENT for too few accounts of an outcome.
    """
    none = np.zeros(outcome.size, dtype=bool)
    censored = np.isin(outcome, list(CENSORED.values()))
    worked = none if contacted is None else contacted
    kept = ~censored & ~worked
    for code, name in _NAMES.items():
        count = int((outcome[kept] == code).sum())
        if count < MIN_PER_OUTCOME:
            told = f"{title} has {count} accounts with {name}" + (
                " whose outcome without contact was seen." if worked.any() else "."
            )
            raise refuse(
                Reason.INVALID_ARGUMENT, "outcome", told, f"Give periods with at least {MIN_PER_OUTCOME} of each outcome."
            )
    weight, method = _weights(portfolio, days, censored, worked)
    left_out = {name: int((outcome == code).sum()) for name, code in CENSORED.items()} | {
        "CONTACTED": int((worked & ~censored).sum())
    }
    if contacted is None:
        method["contact"] = "no contact was recorded: the probabilities mix worked and unworked accounts"
    return TrainingPeriod(
        title,
        portfolio.take(np.flatnonzero(kept)),
        outcome[kept],
        None if kept.all() else weight[kept] / weight[kept].mean(),
        {name: count for name, count in left_out.items() if count},
        method,
    )


def _weights(
    portfolio: Portfolio, days: NDArray[np.int64] | None, censored: NDArray[np.bool_], contacted: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], dict[str, str]]:
    """Return for how many accounts each row stands, float64 (n,), and how that was found."""
    weight, method = np.ones(censored.size), {}
    features = build_features(portfolio).matrix if censored.any() or contacted.any() else None
    if censored.any() and days is not None:
        weight *= weights_by_time(days, censored)
        method["censored"] = "weights of the inverse chance of not being censored before, by time (Kaplan-Meier)"
    elif censored.any() and features is not None:
        weight *= weights_by_features(features, ~censored)
        method["censored"] = "weights of the inverse chance of being seen, by the features (days are not in the file)"
    if contacted.any() and features is not None:
        weight *= weights_by_features(features, ~contacted)
        method["contact"] = "uncontacted rows only, weighted by the inverse chance of no contact, by the features"
    elif not contacted.any():
        method["contact"] = "recorded, and there was none"
    return weight, method
