"""What a thresholded strategy is worth at its threshold, with what would speak against it: widths, placebos, bunching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import CollectionsError
from collections_opt.scoring.thresholds.density_jump import DensityJump, density_jump
from collections_opt.scoring.thresholds.discontinuity import Discontinuity, Window, discontinuity, discontinuity_per_treated

Floats = NDArray[np.float64]
ALARM = 0.05
"""A check with a p value below this is a concern."""


@dataclass(frozen=True)
class ThresholdAccounts:
    """Accounts around a threshold, aligned.

    Attributes:
        running: float64 (n,) what the threshold is on.
        outcome: float64 (n,).
        treated: bool (n,) who was worked by the strategy, None where everybody above was and nobody below.
        covariates: float64 (n,) by name, all fixed before the strategy.
    """

    running: Floats
    outcome: Floats
    treated: NDArray[np.bool_] | None = None
    covariates: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Jump:
    """A jump at a threshold within a window, or why there is none."""

    threshold: float
    width: float
    own_slopes: bool
    found: Discontinuity | None
    refusal: str = ""


@dataclass(frozen=True)
class ThresholdStudy:
    """The answer; money as in the file.

    Attributes:
        main: jump at the first width.
        others: at the other widths, and at the first one with slopes of each side's own.
        placebos: at thresholds where nothing starts, within one side each.
        density: None where the window is too small to tell.
        density_refusal: why.
        take_up: jump of the share treated; None where nobody said who was.
        per_treated: effect on those whom the threshold gets treated.
        covariates: jump of each, which should not be.
        cost: extra cost of the strategy per account.
        account_count: of the file.
        evidence: the grade.
    """

    main: Jump
    others: tuple[Jump, ...]
    placebos: tuple[Jump, ...]
    density: DensityJump | None
    density_refusal: str
    take_up: Discontinuity | None
    per_treated: Discontinuity | None
    covariates: Mapping[str, Jump]
    cost: float
    account_count: int
    evidence: EvidenceGrade = EvidenceGrade.OBSERVATIONAL


def study_threshold(
    accounts: ThresholdAccounts,
    threshold: float,
    widths: Sequence[float],
    cost: float = 0.0,
    placebos: Sequence[float] = (),
    own_slopes: bool = False,
) -> ThresholdStudy:
    """Return the jump at a threshold with its checks.

    Args:
        accounts: rows of a file.
        threshold: from which accounts are worked more.
        widths: reach of the window to both sides; the first decides.
        cost: extra cost of the strategy per account.
        placebos: other thresholds; without any, one to three widths to either side.
        own_slopes: fit a slope on each side.

    Raises:
        CollectionsError: INVALID_ARGUMENT when the first window has too few accounts, or treatment does not jump.
    """
    first = Window.around(threshold, widths[0])
    main = discontinuity(accounts.running, accounts.outcome, first, own_slopes)
    take_up = per_treated = None
    if accounts.treated is not None:
        take_up = discontinuity(accounts.running, accounts.treated.astype(np.float64), first, own_slopes)
        per_treated = discontinuity_per_treated(accounts.running, accounts.outcome, accounts.treated, first, own_slopes)
    steps = [threshold + sign * step * widths[0] for sign in (-1, 1) for step in (1, 2, 3)]
    others = [(width, own_slopes) for width in widths[1:]] + [(widths[0], not own_slopes)]
    density, why = _density(accounts.running, first)
    return ThresholdStudy(
        Jump(threshold, widths[0], own_slopes, main),
        tuple(_jump(accounts.running, accounts.outcome, threshold, width, slopes) for width, slopes in others),
        tuple(_placebo(accounts, threshold, place, widths[0], own_slopes) for place in sorted(placebos or steps)),
        density,
        why,
        take_up,
        per_treated,
        {name: _jump(accounts.running, v, threshold, widths[0], own_slopes) for name, v in accounts.covariates.items()},
        cost,
        int(accounts.running.size),
    )


def concerns(study: ThresholdStudy) -> list[str]:
    """Return what speaks against reading the jump as an effect, one sentence each."""
    found = []
    if study.density is not None and study.density.p_value < ALARM:
        found.append(
            f"Accounts bunch at the threshold: {study.density.ratio:.2f} times as many just above as just below "
            f"(p = {study.density.p_value:.3f}); somebody may choose the side."
        )
    found += [
        f"{name} jumps at the threshold too, though it was fixed before."
        for name, jump in study.covariates.items()
        if jump.found is not None and not jump.found.robust_low <= 0.0 <= jump.found.robust_high
    ]
    tried = [one.found for one in study.placebos if one.found is not None]
    away = sum(not one.robust_low <= 0.0 <= one.robust_high for one in tried)
    if away:
        found.append(f"{away} of {len(tried)} placebo thresholds jump too; chance alone makes one in twenty.")
    main = study.main.found
    if main is not None and any(o.found is not None and o.found.effect * main.effect < 0.0 for o in study.others):
        found.append("The jump changes its sign with the width or the slopes.")
    return found


def _jump(running: Floats, outcome: Floats, threshold: float, width: float, own_slopes: bool) -> Jump:
    try:
        return Jump(threshold, width, own_slopes, discontinuity(running, outcome, Window.around(threshold, width), own_slopes))
    except CollectionsError as error:
        return Jump(threshold, width, own_slopes, None, error.violations[0].description)


def _placebo(accounts: ThresholdAccounts, threshold: float, place: float, width: float, own_slopes: bool) -> Jump:
    """Jump where nothing starts, on accounts of one side, so that the true jump is not in the window."""
    side = accounts.running < threshold if place < threshold else accounts.running >= threshold
    return _jump(accounts.running[side], accounts.outcome[side], place, width, own_slopes)


def _density(running: Floats, window: Window) -> tuple[DensityJump | None, str]:
    try:
        return density_jump(running, window), ""
    except CollectionsError as error:
        return None, error.violations[0].description
