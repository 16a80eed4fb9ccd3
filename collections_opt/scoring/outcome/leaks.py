"""Own columns that tell the outcome by themselves: filled in after it happened, whatever day they are declared for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_columns import OwnKind
from collections_opt.core.accounts.own_features import OwnFeature, own_matrix
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.evaluation.discrimination import auc_interval
from collections_opt.scoring.outcome.rows import TrainingPeriod

MAX_AUC = 0.97
"""No single fact of a delinquent account foretells its cure or default better than this; one that does was known too late."""

_EVENTS = {"cured": CURE, "defaulted": DEFAULT}
Floats = NDArray[np.float64]


def check_own_leaks(periods: Sequence[TrainingPeriod], own: Sequence[OwnFeature]) -> dict[str, float]:
    """Return how well each own column alone tells who cured or defaulted: the larger AUC of the two, over all periods.

    A missing value counts as a value of its own: a cell that is filled in for those who cured leaks as well.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every column above ``MAX_AUC``.
    """
    if not own:
        return {}
    outcome = np.concatenate([one.outcome for one in periods])
    matrix = np.concatenate([own_matrix(one.portfolio, own) for one in periods])
    return check_told_alone(matrix, {name: outcome == code for name, code in _EVENTS.items()}, own)


def check_told_alone(
    matrix: NDArray[np.float32], events: Mapping[str, NDArray[np.bool_]], own: Sequence[OwnFeature]
) -> dict[str, float]:
    """Return how well each own column alone tells some events, the best of them.

    Args:
        matrix: float32 (n, k), as ``own_matrix``.
        events: bool (n,) whether each happened to an account, by what it did, such as "cured".
        own: the columns, k.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every column above ``MAX_AUC``.
    """
    told: dict[str, float] = {}
    found = []
    for index, feature in enumerate(own):
        values = matrix[:, index].astype(np.float64)
        best, event = max((_power(values, happened, feature), name) for name, happened in events.items())
        told[feature.field] = round(best, 6)
        if best > MAX_AUC:
            problem = f"tells by itself who {event} (AUC {best:.2f})."
            found.append(FieldViolation(feature.field, problem, "Give the values as they were known on the as-of date."))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(found)} own column(s) were known too late.", tuple(found))
    return told


def _power(values: Floats, happened: NDArray[np.bool_], feature: OwnFeature) -> float:
    """Return the AUC of a column alone, the better of: its order, whether it is there, and rates of its texts."""
    if not 0 < happened.sum() < happened.size:
        return 0.5
    missing = np.isnan(values)
    scores = [missing.astype(np.float64)]
    if feature.kind is OwnKind.NUMBER:
        least, most = np.nanmin(values, initial=0.0), np.nanmax(values, initial=0.0)
        scores += [np.where(missing, end, values) for end in (least - 1.0, most + 1.0)]
    else:
        codes = np.where(missing, len(feature.texts), values).astype(np.int64)
        count = np.bincount(codes, minlength=len(feature.texts) + 1)
        rate = np.bincount(codes, weights=happened.astype(np.float64), minlength=count.size) / np.maximum(count, 1)
        scores.append(rate[codes])
    aucs = [auc_interval(score, happened)[0] for score in scores]
    return max(max(auc, 1.0 - auc) for auc in aucs)
