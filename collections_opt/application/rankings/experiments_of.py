"""Which accounts of an opened ranking are in experiments of a kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.experiments.design import ArmKind


def of_kind(opened: OpenedRanking, kind: ArmKind) -> NDArray[np.bool_]:
    """Return accounts in experiments of a kind, whatever their arm, bool (n,)."""
    experiment, named = opened.entries.experiment, opened.facts.inputs.experiments
    if experiment is None:
        return np.zeros(opened.entries.queue.size, dtype=bool)
    return np.array([False, *(one.design.arm is kind for one in named)])[experiment]
