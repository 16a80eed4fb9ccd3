"""Scores that must not decide before a person has looked: all alike, or spread quite otherwise than the last time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.value.outcomes import CURE, DEFAULT, OutcomeProbabilities

Ints = NDArray[np.int64]

LOG_ODDS_EDGES = np.arange(-5.0, 5.25, 0.5)
"""Edges of the bins in which scores are counted: fine where probabilities are small, and the same in every ranking."""

JUDGED = {"p_cure": CURE, "p_default": DEFAULT}

MAX_PSI = 1.0
"""Beyond this the population stability index says that the data or the model changed, not the customers."""

MIN_JUDGED_COUNT = 200
"""Accounts below which the index is mostly sampling: under no shift its 95 % limit is 0.33 with 200 on either side in 22 bins."""


def score_counts(outcomes: OutcomeProbabilities) -> dict[str, list[int]]:
    """Return how many accounts have scores in each bin, per judged probability; 22 counts each."""
    edges = 1.0 / (1.0 + np.exp(-LOG_ODDS_EDGES))
    return {
        name: np.bincount(
            np.searchsorted(edges, outcomes.probability[:, column], side="right"), minlength=edges.size + 1
        ).tolist()
        for name, column in JUDGED.items()
    }


def stability_index(before: Ints, after: Ints) -> float:
    """Return the population stability index of two counts over the same bins: sum of (q - p) ln(q / p).

    Bins empty in both are left out; one that is empty in one counts as half an account there.
    """
    used = (before + after) > 0
    if not used.any():
        return 0.0
    first, second = (np.maximum(counts[used], 0.5) / max(int(counts.sum()), 1) for counts in (before, after))
    return float(((second - first) * np.log(second / first)).sum())


def why_suspect(
    outcomes: OutcomeProbabilities, counts: Mapping[str, Sequence[int]], before: Mapping[str, Sequence[int]] | None
) -> list[str]:
    """Return what a person has to look at before these scores decide, in sentences; empty when nothing is suspect.

    Args:
        outcomes: the scores.
        counts: their ``score_counts``.
        before: those of the last ranking by the same model under the same plan; None without one.
    """
    n = len(outcomes.probability)
    judged = outcomes.probability[:, list(JUDGED.values())]
    if n >= MIN_CELL_COUNT and bool((judged == judged[0]).all()):
        return [f"all {n:,} accounts have the same scores"]
    if before is None or min(n, sum(before["p_cure"])) < MIN_JUDGED_COUNT:
        return []
    indices = {name: stability_index(np.array(before[name]), np.array(counts[name])) for name in JUDGED}
    moved = {name: index for name, index in indices.items() if index > MAX_PSI}
    return [f"the PSI of {name} against the last ranking is {index:.2f}, over {MAX_PSI:g}" for name, index in moved.items()]
