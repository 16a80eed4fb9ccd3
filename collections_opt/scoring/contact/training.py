"""Learn contact probabilities from contact logs: fitted on early periods, calibrated on a later one, judged on the last.

A desk picks people whom it thinks it can reach, so rates learned from its contacts are too high for everybody else. The level of
a channel is therefore moved to what contacts by chance, on the rows that a holdout drew, say of it: as far as they are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

from collections_opt.core.accounts.own_features import OwnFeature, own_matrix
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import NO_QUEUE, ContactLog
from collections_opt.scoring.contact.features import build_contact_features
from collections_opt.scoring.contact.model import ChannelContactModel, ContactModel, level_of, probability_of, scaled
from collections_opt.scoring.evaluation.probabilities import ClassEvaluation, calibration_line, evaluate_class
from collections_opt.scoring.outcome.leaks import check_told_alone

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MIN_PERIODS = 3
"""To fit, to calibrate and to judge: none of them may see another's contacts."""

MIN_OF_EACH = 50
"""Contacts that reached, and that did not, of a channel to fit and to calibrate on, and of a queue to have its own level."""

STRENGTHS, FOLDS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0), 5
"""Inverse penalties on the coefficients, chosen by log loss over folds: few contacts of a channel must not teach noise."""

LEVEL_WEIGHT = 10.0
"""Levels of queues are penalised a hundred times less than coefficients: they are what a queue differs by."""

LEVEL_SPREAD = 0.3
"""Standard deviation, in log-odds, of how far a desk's choice is thought to move the level: few drawn contacts move it little."""

QUANTILES = 101
_FLOOR = 1e-9
_DIGITS = 9
"""Fitted parameters are kept to so many digits: what linear algebra differs by between machines must not change an artifact."""


@dataclass(frozen=True)
class ContactRows:
    """Contacts made in one period or several, n rows.

    Attributes:
        features: float64 (n, f).
        queue: int64 (n,) index into the plan's queues.
        reached: bool (n,) the right party was.
        randomised: bool (n,) a holdout drew the contact.
        dropped_count: log rows left out: not contacted, or the account is not in its portfolio.
        own: float32 (n, k) own columns as ``own_matrix``, for the check of leaks alone.
    """

    features: Floats
    queue: NDArray[np.int64]
    reached: Bools
    randomised: Bools
    dropped_count: int
    own: NDArray[np.float32]

    def take(self, rows: Bools) -> ContactRows:
        """Return some rows."""
        parts = (self.features[rows], self.queue[rows], self.reached[rows], self.randomised[rows])
        return ContactRows(*parts, self.dropped_count, self.own[rows])


@dataclass(frozen=True)
class LevelShift:
    """How far contacts by chance moved a channel's level.

    Attributes:
        log_odds: added to every log-odds of the channel; 0 where too few contacts were drawn.
        count: drawn contacts that say so.
    """

    log_odds: float
    count: int


@dataclass(frozen=True)
class LearnedContacts:
    """What was learned and how good it is on the last period.

    Attributes:
        model: the contact model.
        judged: per learned channel, on contacts that nothing was fitted on, those by chance where they are enough; None in small
            cells.
        planned: log loss of the plan's rates on the same contacts.
        left_out: why a channel was not learned.
        levels: per learned channel.
        row_counts: contacts to fit, to calibrate and to judge on.
        dropped_count: log rows left out.
    """

    model: ContactModel
    judged: dict[str, ClassEvaluation | None]
    planned: dict[str, float]
    left_out: dict[str, str]
    levels: dict[str, LevelShift]
    row_counts: tuple[int, int, int]
    dropped_count: int


def contact_rows(portfolio: Portfolio, log: ContactLog, plan: CapacityPlan, own: Sequence[OwnFeature] = ()) -> ContactRows:
    """Return the contacts of a log beside the accounts as they were before, with some own columns of theirs.

    Raises:
        CollectionsError: NOT_FOUND when the log names a queue that the plan does not have.
    """
    index = np.array([plan.queue_index(queue_id) for queue_id in log.queue_ids], dtype=np.int64)
    known = portfolio.column("account_id")
    place = np.minimum(np.searchsorted(known, log.account_id), max(known.size - 1, 0))
    found = known[place] == log.account_id if known.size else np.zeros(log.row_count, dtype=bool)
    used = np.flatnonzero(found & log.contacted & (log.queue != NO_QUEUE))
    accounts = portfolio.take(place[used])
    left_out = log.row_count - used.size
    return ContactRows(
        build_contact_features(accounts, own),
        index[log.queue[used]],
        log.right_party[used],
        log.randomised[used],
        left_out,
        own_matrix(accounts, own),
    )


def check_own_contacts(periods: Sequence[ContactRows], own: Sequence[OwnFeature]) -> dict[str, float]:
    """Return how well each own column alone tells who was reached.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every column that tells too well: it was filled in after the contact.
    """
    rows = _joined(periods)
    return check_told_alone(rows.own, {"was reached": rows.reached}, own)


def learn_contacts(periods: Sequence[ContactRows], plan: CapacityPlan, version: str, seed: int) -> LearnedContacts:
    """Return the contact model of periods in order of time: the last is judged on, the one before calibrates.

    Raises:
        CollectionsError: INVALID_ARGUMENT for fewer than three periods, or where no channel has enough contacts.
    """
    if len(periods) < MIN_PERIODS:
        told = f"{len(periods)} period(s): one each is needed to fit, to calibrate and to judge."
        raise refuse(Reason.INVALID_ARGUMENT, "periods", told, "Give at least 3, in order of time.")
    parts = (_joined(periods[:-2]), periods[-2], periods[-1])
    channel_of = np.array([queue.channel for queue in plan.queues])
    rates = np.array([queue.effect.right_party_contact_rate for queue in plan.queues])
    models, judged, planned, left_out, levels = [], {}, {}, {}, {}
    for channel in sorted(set(channel_of.tolist())):
        fitted, calibrating, last = (part.take(channel_of[part.queue] == channel) for part in parts)
        fitted = fitted.take(np.isin(fitted.queue, _with_own_level(fitted)))
        calibrating = calibrating.take(np.isin(calibrating.queue, fitted.queue))
        if not (_enough(fitted.reached) and _enough(calibrating.reached)):
            left_out[channel] = f"fewer than {MIN_OF_EACH} contacts that reached, or that did not"
            continue
        model = _calibrated(_fitted(channel, fitted, plan), calibrating, plan)
        model, levels[channel] = _levelled(model, (fitted, calibrating), plan)
        models.append(model)
        last = last.take(last.randomised) if _enough(last.reached[last.randomised]) else last
        judged[channel] = evaluate_class(predicted(model, last, plan), last.reached, seed)
        planned[channel] = log_loss_of(rates[last.queue], last.reached)
    if not models:
        told = "; ".join(f"{channel}: {why}" for channel, why in left_out.items())
        raise refuse(Reason.INVALID_ARGUMENT, "log", f"no channel can be learned ({told}).", "Give longer logs.")
    counts = (parts[0].reached.size, parts[1].reached.size, parts[2].reached.size)
    dropped = sum(part.dropped_count for part in periods)
    return LearnedContacts(ContactModel(version, tuple(models)), judged, planned, left_out, levels, counts, dropped)


def predicted(model: ChannelContactModel, rows: ContactRows, plan: CapacityPlan) -> Floats:
    """Return the probability that each contact reached the right party, float64 (n,)."""
    levels = np.array([model.level(queue.queue_id, queue.effect.right_party_contact_rate) for queue in plan.queues])
    return probability_of(levels[rows.queue] + model.score(rows.features))


def log_loss_of(probability: Floats, happened: Bools) -> float:
    """Return the mean log loss; NaN of no rows."""
    clipped = np.clip(probability, _FLOOR, 1.0 - _FLOOR)
    return float(-np.log(np.where(happened, clipped, 1.0 - clipped)).mean()) if happened.size else float("nan")


def _joined(periods: Sequence[ContactRows]) -> ContactRows:
    return ContactRows(
        np.vstack([part.features for part in periods]),
        np.concatenate([part.queue for part in periods]),
        np.concatenate([part.reached for part in periods]),
        np.concatenate([part.randomised for part in periods]),
        sum(part.dropped_count for part in periods),
        np.vstack([part.own for part in periods]),
    )


def _enough(reached: Bools) -> bool:
    return min(int(reached.sum()), int((~reached).sum())) >= MIN_OF_EACH


def _with_own_level(rows: ContactRows) -> list[int]:
    return [index for index in np.unique(rows.queue).tolist() if _enough(rows.reached[rows.queue == index])]


def _fitted(channel: str, rows: ContactRows, plan: CapacityPlan) -> ChannelContactModel:
    """Return the logistic regression of a channel's contacts, before calibration."""
    learned = np.unique(rows.queue).tolist()
    known = ~np.isnan(rows.features)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, rows.features, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, rows.features - centre, 0.0) ** 2).sum(axis=0) / count)
    middle, scale = _kept(centre), _kept(np.where(spread > 1e-6, spread, 1.0))
    dummies = (rows.queue[:, np.newaxis] == np.array(learned, dtype=np.int64)[np.newaxis, :]).astype(np.float64)
    design = np.hstack([dummies, scaled(rows.features, middle, scale)])
    design[:, : len(learned)] *= LEVEL_WEIGHT
    chosen = LogisticRegressionCV(
        Cs=STRENGTHS,
        cv=FOLDS,
        scoring="neg_log_loss",
        solver="newton-cholesky",
        tol=1e-8,
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
    ).fit(design, rows.reached)
    weights = chosen.coef_[0]
    levels = {
        plan.queues[index].queue_id: _kept(chosen.intercept_ + LEVEL_WEIGHT * weights[i])[0] for i, index in enumerate(learned)
    }
    return ChannelContactModel(channel, middle, scale, _kept(weights[len(learned) :]), levels, 1.0, 0.0, (0.0,))


def _calibrated(model: ChannelContactModel, rows: ContactRows, plan: CapacityPlan) -> ChannelContactModel:
    """Return the model calibrated on a later period, with the scores that hold a plan's level.

    Where accounts' scores foretell that period no better than the levels of queues alone, the levels alone are kept.
    """
    levels_alone = replace(model, coefficients=(0.0,) * len(model.coefficients))
    found = min((_lined(levels_alone, rows, plan), _lined(model, rows, plan)), key=lambda made: _loss(made, rows, plan))
    return replace(found, score_quantiles=_kept(np.quantile(found.score(rows.features), np.linspace(0.0, 1.0, QUANTILES))))


def _levelled(
    model: ChannelContactModel, periods: Sequence[ContactRows], plan: CapacityPlan
) -> tuple[ChannelContactModel, LevelShift]:
    """Return the model at the level that drawn contacts say, and how far they moved it.

    Of each span of time: the shift at which drawn contacts are reached as often as predicted, less that of all contacts, which is
    what the times do. Their mean by precision, 1 / v = sum p (1 - p) over drawn contacts, is served times s^2 / (s^2 + v), with s
    the ``LEVEL_SPREAD``.
    """
    shifts, weights, count = [0.0], [0.0], 0
    for rows in periods:
        drawn = rows.take(rows.randomised)
        count += drawn.reached.size
        if _enough(drawn.reached):
            chance = predicted(model, drawn, plan)
            shifts.append(_shift(model, drawn, plan) - _shift(model, rows, plan))
            weights.append(float((chance * (1.0 - chance)).sum()))
    precision = sum(weights)
    if not precision:
        return model, LevelShift(0.0, count)
    shift = float(np.dot(shifts, weights)) / precision
    kept = round(shift * LEVEL_SPREAD**2 / (LEVEL_SPREAD**2 + 1.0 / precision), _DIGITS)
    moved = replace(model, calibration_intercept=round(model.calibration_intercept + kept, _DIGITS))
    return moved, LevelShift(kept, count)


def _shift(model: ChannelContactModel, rows: ContactRows, plan: CapacityPlan) -> float:
    """Return the log-odds to add for contacts to be reached as often as predicted."""
    chance = np.clip(predicted(model, rows, plan), _FLOOR, 1.0 - _FLOOR)
    return level_of(float(rows.reached.mean()), np.log(chance / (1.0 - chance)))


def _lined(model: ChannelContactModel, rows: ContactRows, plan: CapacityPlan) -> ChannelContactModel:
    """Return the model with its calibration line; the slope stays 1 where the later period does not speak against it."""
    raw = predicted(model, rows, plan)
    odds = np.log(raw / (1.0 - raw))
    line = (1.0, level_of(float(rows.reached.mean()), odds))
    if any(model.coefficients):
        slope, _ = calibration_line(raw, rows.reached)
        if not slope.low <= 1.0 <= slope.high:
            fit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8).fit(odds[:, np.newaxis], rows.reached)
            line = (float(fit.coef_[0, 0]), float(fit.intercept_[0]))
    return replace(model, calibration_slope=round(line[0], _DIGITS), calibration_intercept=round(line[1], _DIGITS))


def _loss(model: ChannelContactModel, rows: ContactRows, plan: CapacityPlan) -> float:
    """Return the log loss; infinite where a line falls: likelier reached as fitted, seldomer as it came."""
    return log_loss_of(predicted(model, rows, plan), rows.reached) if model.calibration_slope > 0 else float("inf")


def _kept(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(values, _DIGITS).tolist())
