"""A lender's own history as training data: accounts through the same door as a portfolio, outcomes aligned by account id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collections_opt.application.model_training import TrainingData
from collections_opt.core.admission import admit
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.files.training_files import LabelledAccounts, TrainingFiles
from collections_opt.scoring.outcome.rows import TrainingPeriod

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
    return TrainingData(settings.dataset, settings.description.strip(), settings.limits.strip(), periods[:-1], periods[-1])


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
    outcome = labelled.outcome[order[found]]
    for code, name in _NAMES.items():
        count = int((outcome == code).sum())
        if count < MIN_PER_OUTCOME:
            told = f"{labelled.name} has {count} accounts with {name}."
            raise refuse(
                Reason.INVALID_ARGUMENT, "outcome", told, f"Give periods with at least {MIN_PER_OUTCOME} of each outcome."
            )
    return TrainingPeriod(labelled.name, portfolio, outcome)
