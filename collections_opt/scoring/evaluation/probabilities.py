"""Judge probabilities on rows that nothing was fitted on: discrimination, calibration with intervals, lift, drift, by segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from collections_opt.core.evaluation.score_drift import stability_index
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.scoring.evaluation.discrimination import auc_interval, weighted_ks
from collections_opt.scoring.evaluation.metrics import expected_calibration_error

if TYPE_CHECKING:
    import statsmodels.api as sm

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_FLOOR = 1e-9
BINS = 10
_CELLS = 4_000_000
"""Cells of resampled weights held at a time."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of equal count: predicted and observed rate, and how many accounts; observed is NaN in small cells."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True)
class ClassEvaluation:
    """How good the probabilities of one outcome are.

    Attributes:
        count: accounts judged.
        rate: observed rate.
        auc, ks: discrimination.
        log_loss, brier: proper scores.
        brier_skill: 1 - Brier over that of the observed rate.
        slope, intercept: of the observed outcome on the log-odds predicted; 1 and 0 are right (intercept at slope 1).
        ece: expected calibration error over bins of equal count.
        ece_if_perfect: what sampling alone would give a perfect model, its mean over draws.
        lift: observed rate among the share of accounts with the highest probability over the rate of all, by share.
        reliability: the bins.
    """

    count: int
    rate: float
    auc: Estimate
    ks: float
    log_loss: float
    brier: float
    brier_skill: float
    slope: Estimate
    intercept: Estimate
    ece: float
    ece_if_perfect: float
    lift: Mapping[float, float]
    reliability: tuple[ReliabilityBin, ...]


def evaluate_class(
    probability: Floats,
    happened: Bools,
    seed: int,
    shares: tuple[float, ...] = (0.1, 0.2),
    weight: Floats | None = None,
) -> ClassEvaluation | None:
    """Return the figures of one outcome; None in small cells and where only one class occurs.

    Args:
        probability: float64 (n,).
        happened: bool (n,).
        seed: of the draws behind ``ece_if_perfect``.
        shares: shares of accounts at which lift is measured.
        weight: float64 (n,) for how many accounts each stands, where some outcomes were not seen; None where each stands for
            itself.
    """
    from sklearn.metrics import brier_score_loss, log_loss  # noqa: PLC0415 - takes a second to load; a server starts without it

    count = happened.size
    if count < MIN_CELL_COUNT or not 0 < happened.sum() < count:
        return None
    rate = float(np.average(happened, weights=weight))
    brier = float(brier_score_loss(happened, probability, sample_weight=weight))
    slope, intercept = calibration_line(probability, happened, weight)
    rng = np.random.default_rng(seed)
    draws = [expected_calibration_error(probability, rng.random(count) < probability, weight=weight) for _ in range(50)]
    clipped = np.clip(probability, _FLOOR, 1 - _FLOOR)
    return ClassEvaluation(
        count=count,
        rate=rate,
        auc=Estimate(*auc_interval(probability, happened, weight)),
        ks=_ks(probability, happened, weight),
        log_loss=float(log_loss(happened, clipped, labels=[False, True], sample_weight=weight)),
        brier=brier,
        brier_skill=1.0 - brier / (rate * (1.0 - rate)),
        slope=slope,
        intercept=intercept,
        ece=expected_calibration_error(probability, happened, weight=weight),
        ece_if_perfect=float(np.mean(draws)),
        lift={share: _first_rate(probability, happened, share, weight) / rate for share in shares},
        reliability=reliability(probability, happened, weight=weight),
    )


def _ks(probability: Floats, happened: Bools, weight: Floats | None) -> float:
    if weight is not None:
        return weighted_ks(probability, happened, weight)
    from scipy.stats import ks_2samp  # noqa: PLC0415 - takes a second to load; a server starts without it

    return float(ks_2samp(probability[happened], probability[~happened]).statistic)


def _first_rate(probability: Floats, happened: Bools, share: float, weight: Floats | None) -> float:
    """Return the rate among the share of accounts with the highest probability."""
    order = np.argsort(-probability, kind="stable")
    if weight is None:
        return float(happened[order[: max(1, round(share * happened.size))]].mean())
    first = order[first_of(weight[order], share)]
    return float(np.average(happened[first], weights=weight[first]))


def first_of(weight: Floats, share: float) -> Bools:
    """Return which rows begin within the first share of all accounts, bool (n,); ``weight`` says for how many each stands."""
    before = np.cumsum(weight) - weight
    return np.asarray(before < share * weight.sum(), dtype=np.bool_)


def calibration_line(probability: Floats, happened: Bools, weight: Floats | None = None) -> tuple[Estimate, Estimate]:
    """Return calibration slope, and intercept at slope 1, by logistic regression on the predicted log-odds (Cox 1958).

    With weights, float64 (n,), intervals come from the sandwich variance: an account that stands for several was seen once.
    """
    import statsmodels.api as sm  # noqa: PLC0415 - takes a second to load; a server starts without it
    from statsmodels.tools.sm_exceptions import PerfectSeparationError  # noqa: PLC0415 - likewise

    clipped = np.clip(probability, _FLOOR, 1 - _FLOOR)
    odds = np.log(clipped / (1 - clipped))
    sloped, level = sm.add_constant(odds, has_constant="add"), np.ones((odds.size, 1))
    given = {"family": sm.families.Binomial(), "freq_weights": weight}
    try:
        both = sm.GLM(happened.astype(float), sloped, **given).fit()
        one = sm.GLM(happened.astype(float), level, offset=odds, **given).fit()
        if weight is None:
            return _estimate(both, 1), _estimate(one, 0)
        return _robust(both, sloped, happened, weight, 1), _robust(one, level, happened, weight, 0)
    except (PerfectSeparationError, np.linalg.LinAlgError):
        nothing = Estimate(float("nan"), float("nan"), float("nan"))
        return nothing, nothing


def _estimate(fitted: sm.GLM, index: int) -> Estimate:
    low, high = np.asarray(fitted.conf_int())[index]
    return Estimate(float(np.asarray(fitted.params)[index]), float(low), float(high))


def _robust(fitted: sm.GLM, design: Floats, happened: Bools, weight: Floats, index: int) -> Estimate:
    """Return a coefficient with the interval of the sandwich variance."""
    p = np.asarray(fitted.fittedvalues)
    bread = np.linalg.inv(design.T @ (design * (weight * p * (1.0 - p))[:, None]))
    score = design * (weight * (happened - p))[:, None]
    spread = float(ndtri(0.975)) * float(np.sqrt((bread @ (score.T @ score) @ bread)[index, index]))
    value = float(np.asarray(fitted.params)[index])
    return Estimate(value, value - spread, value + spread)


def reliability(
    probability: Floats, happened: Bools, bins: int = BINS, weight: Floats | None = None
) -> tuple[ReliabilityBin, ...]:
    """Return predicted and observed rates over bins of equal count."""
    parts = np.array_split(np.argsort(probability, kind="stable"), bins)
    held = np.ones(happened.size) if weight is None else weight
    return tuple(
        ReliabilityBin(
            float(np.average(probability[part], weights=held[part])),
            float(np.average(happened[part], weights=held[part])) if part.size >= MIN_CELL_COUNT else float("nan"),
            part.size,
        )
        for part in parts
        if part.size
    )


@dataclass(frozen=True)
class Drift:
    """Population stability index of one variable, and the 95 % limit that sampling alone stays under."""

    psi: float
    limit: float


def population_stability(before: Floats, after: Floats, bins: int = BINS) -> Drift:
    """Return the PSI between two samples over bins of the first, missing values in a bin of their own.

    Under no shift PSI is about chi-square with bins - 1 degrees of freedom times (1/n + 1/m) (Yurdakul 2018).
    """
    from scipy.stats import chi2  # noqa: PLC0415 - takes a second to load; a server starts without it

    known = before[~np.isnan(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if known.size else np.zeros(0)
    counts = [np.bincount(_bin(x, edges), minlength=edges.size + 2) for x in (before, after)]
    used = (counts[0] + counts[1]) > 0
    psi = stability_index(counts[0], counts[1])
    freedom = max(int(used.sum()) - 1, 1)
    return Drift(psi, float(chi2.ppf(0.95, freedom)) * (1.0 / max(before.size, 1) + 1.0 / max(after.size, 1)))


def _bin(values: Floats, edges: Floats) -> NDArray[np.int64]:
    found = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), edges.size + 1, found).astype(np.int64)


def bootstrap_share(
    captured: Floats,
    total: Floats,
    rank: NDArray[np.int64],
    share: float,
    seed: int,
    draws: int = 400,
    weight: Floats | None = None,
) -> Estimate:
    """Return the share of ``total`` that the first ``share`` of rows in order of ``rank`` hold in ``captured``, with an interval.

    Args:
        captured: float64 (n,) money of each row.
        total: float64 (n,) money counted in the denominator, usually the same.
        rank: int64 (n,) row numbers, first to be worked first.
        share: of rows worked.
        seed: of the draws; rows are resampled with their place in the order.
        draws: resamples.
        weight: float64 (n,) for how many accounts each stands; the money of each is counted as often.
    """
    if weight is None:
        place = np.empty(rank.size, dtype=np.int64)
        place[rank] = np.arange(rank.size)
        worked = place < round(share * rank.size)
    else:
        worked = np.zeros(rank.size, dtype=bool)
        worked[rank] = first_of(weight[rank], share)
        captured, total = captured * weight, total * weight
    rng = np.random.default_rng(seed)
    held = np.where(worked, captured, 0.0)
    chances = np.full(rank.size, 1.0 / rank.size)
    block = max(1, _CELLS // rank.size)
    shares = [
        (weights @ held) / (weights @ total)
        for first in range(0, draws, block)
        for weights in [rng.multinomial(rank.size, chances, size=min(block, draws - first))]
    ]
    low, high = np.quantile(np.concatenate(shares), [0.025, 0.975])
    return Estimate(float(captured[worked].sum() / total.sum()), float(low), float(high))


@dataclass(frozen=True)
class ModelEvaluation:
    """Everything a validator reads about one model on one later period.

    Attributes:
        model_version: kind and version.
        judged_on: the period; nothing was fitted on it.
        classes: per outcome, all accounts.
        segments: per segment and outcome; None where a cell is too small.
        drift: per variable, between training and the period.
        money: what the money is, in a few words.
        gains: per order, share of the period's money held by the first accounts, by share worked; empty without any money.
        alarms: what left its tolerance beyond doubt, in sentences.
        alarm_note: what a reader should know of the alarms.
        unseen: whose outcome was not seen in the period, and how those seen stand for them, in a sentence; "" where all were.
    """

    model_version: str
    judged_on: str
    classes: Mapping[str, ClassEvaluation | None]
    segments: Mapping[str, Mapping[str, ClassEvaluation | None]]
    drift: Mapping[str, Drift]
    money: str
    gains: Mapping[str, Mapping[float, Estimate]]
    alarms: tuple[str, ...] = ()
    alarm_note: str = ""
    unseen: str = ""


def calibration_alarm(
    name: str, probability: Floats, happened: Bools, tolerance: float = 0.1, weight: Floats | None = None
) -> str:
    """Return an alarm in one sentence when the level or slope left the tolerance beyond doubt (95 %), "" otherwise."""
    slope, intercept = calibration_line(probability, happened, weight)
    level_off = intercept.low > tolerance or intercept.high < -tolerance
    slope_off = slope.low > 1 + tolerance or slope.high < 1 - tolerance
    if not (level_off or slope_off):
        return ""
    predicted, observed = (float(np.average(one, weights=weight)) for one in (probability, happened))
    return (
        f"{name}: predicted {predicted:.1%}, observed {observed:.1%}; log-odds off by {intercept.value:+.2f} "
        f"({intercept.low:+.2f} to {intercept.high:+.2f}), slope {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f})."
    )
