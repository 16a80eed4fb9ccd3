"""A learned contact model: the chance that a queue's attempts reach the right party, per account, in place of the plan's rate.

Per channel the log-odds are a level per queue plus one score per account, a logistic regression on scaled features, calibrated by
a straight line on log-odds (Platt 1999). A queue of the channel that was not learned takes the account's score at the level of
the plan's rate; a channel that was not learned keeps the rate it had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan, EvidenceGrade
from collections_opt.core.value.effects import (
    ContactEffects,
    EffectFold,
    ProbabilityChange,
    QueueEffect,
    TotalError,
    WeightedCells,
)
from collections_opt.scoring.contact.features import build_contact_features, contact_feature_names

Floats = NDArray[np.float64]

CLIP = 3.0
"""Scaled values are clipped here, so that a coefficient is never carried far beyond the accounts it was learned on."""

_LEVEL_BOUND = 30.0
_LEVEL_STEPS = 60


@dataclass(frozen=True)
class ChannelContactModel:
    """What was learned about one channel; f features, in the order of ``contact_feature_names``.

    Attributes:
        channel: of the plan's queues.
        centre: mean of each feature where known, on the training accounts.
        scale: standard deviation likewise.
        coefficients: log-odds per scaled feature.
        levels: log-odds of each learned queue at a score of 0.
        calibration_slope: of the calibrated on the raw log-odds.
        calibration_intercept: likewise.
        score_quantiles: quantiles of the calibrated score of contacted accounts, at equal steps from the lowest to the highest.
    """

    channel: str
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    coefficients: tuple[float, ...]
    levels: Mapping[str, float]
    calibration_slope: float
    calibration_intercept: float
    score_quantiles: tuple[float, ...]

    def score(self, features: Floats) -> Floats:
        """Return the account's part of the calibrated log-odds, float64 (n,)."""
        values, total = scaled(features, self.centre, self.scale), np.zeros(len(features))
        for column, coefficient in enumerate(self.coefficients):  # in order, so that a row does not depend on its neighbours
            total += coefficient * values[:, column]
        return self.calibration_slope * total

    def level(self, queue_id: str, planned_rate: float) -> float:
        """Return the queue's part of the calibrated log-odds: learned, or what holds the plan's rate on the training accounts."""
        if queue_id in self.levels:
            return self.calibration_slope * self.levels[queue_id] + self.calibration_intercept
        return level_of(planned_rate, np.array(self.score_quantiles))


@dataclass(frozen=True)
class ContactModel:
    """A version of the contact probabilities: one model per channel that was learned.

    ``own`` are the own columns that it learned from, after the others among the features.
    """

    version: str
    channels: tuple[ChannelContactModel, ...]
    own: tuple[OwnFeature, ...] = ()

    def channel(self, channel: str) -> ChannelContactModel | None:
        """Return what was learned about a channel, None where nothing was."""
        return next((known for known in self.channels if known.channel == channel), None)

    def over(self, effects_of: Callable[[Portfolio, CapacityPlan], ContactEffects]) -> ContactRates:
        """Return effects with this model's rates in place of theirs."""
        return ContactRates(self, effects_of)


@dataclass(frozen=True)
class ContactRates:
    """Effects whose right-party-contact rates are a contact model's. Calling it fits ``core.pipeline.EffectsOf``."""

    model: ContactModel
    effects_of: Callable[[Portfolio, CapacityPlan], ContactEffects]

    def __call__(self, portfolio: Portfolio, plan: CapacityPlan) -> ContactEffects:
        """Return the effects on a portfolio."""
        return ReachedEffects(self.model, self.effects_of(portfolio, plan), portfolio, plan)


class ReachedEffects:
    """Effects with learned right-party-contact rates; what contact then does, and its evidence, stay those of the effects.

    Where the effects are shifts given a right-party contact the rate decides value and minutes; where they are changes of the
    probabilities, minutes alone.
    """

    def __init__(self, model: ContactModel, effects: ContactEffects, portfolio: Portfolio, plan: CapacityPlan) -> None:
        self._effects = effects
        self._model = model
        self._version = model.version
        self._portfolio = portfolio
        self._plan = plan
        self._channels = [model.channel(queue.channel) for queue in plan.queues]
        self._block: tuple[tuple[int | None, int | None, int | None], Floats] | None = None
        self._scores: dict[str, Floats] = {}

    @property
    def version(self) -> str:
        """Version of the contact model, and of the effects beneath."""
        return f"contact/{self._version} over {self._effects.version}"

    @property
    def folds(self) -> tuple[EffectFold, ...]:
        """Return those of the effects, with the same rates."""
        return tuple(EffectFold(self._with(fold.choosing), self._with(fold.summing)) for fold in self._effects.folds)

    def total_error(self, cells: WeightedCells) -> TotalError:
        """Return that of the effects; the error of the rates is not in it."""
        return self._effects.total_error(cells)

    def contributions(self, rows: slice, queue: int, probability: Floats) -> Mapping[str, ProbabilityChange]:
        """Return those of the effects: rates of contact decide minutes."""
        return self._effects.contributions(rows, queue, probability)

    def _with(self, effects: ContactEffects) -> ReachedEffects:
        return ReachedEffects(self._model, effects, self._portfolio, self._plan)

    def evidence(self, queue: int) -> EvidenceGrade:
        """Return the grade of what contact does; how often it comes about is learned from contacts themselves."""
        return self._effects.evidence(queue)

    def block(self, rows: slice, queue: int, probability: Floats) -> QueueEffect:
        """Return the effect of a queue on a block of accounts."""
        effect, channel, planned = self._effects.block(rows, queue, probability), self._channels[queue], self._plan.queues[queue]
        if channel is None:
            return effect
        level = channel.level(planned.queue_id, planned.effect.right_party_contact_rate)
        return replace(effect, rpc_rate=probability_of(level + self._score(rows, channel)))

    def _score(self, rows: slice, channel: ChannelContactModel) -> Floats:
        """Build a block's features once for all queues, and its score once for the queues of a channel."""
        key = (rows.start, rows.stop, rows.step)
        if self._block is None or self._block[0] != key:
            self._block, self._scores = (key, build_contact_features(self._portfolio.take(rows), self._model.own)), {}
        if channel.channel not in self._scores:
            self._scores[channel.channel] = channel.score(self._block[1])
        return self._scores[channel.channel]


def scaled(features: Floats, centre: tuple[float, ...], scale: tuple[float, ...]) -> Floats:
    """Return features centred, scaled and clipped, float64 (n, f), 0 where missing."""
    values: Floats = (features - np.array(centre)) / np.array(scale)
    return np.clip(np.nan_to_num(values, nan=0.0), -CLIP, CLIP)


def probability_of(log_odds: Floats) -> Floats:
    """Return probabilities of log-odds, float64 in their shape."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), dtype=np.float64)


def level_of(rate: float, scores: Floats) -> float:
    """Return the level at which accounts of these scores are reached at a rate on average; found by halving."""
    low, high = -_LEVEL_BOUND, _LEVEL_BOUND
    for _ in range(_LEVEL_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if float(probability_of(middle + scores).mean()) < rate else (low, middle)
    return (low + high) / 2.0


def has_shape(channel: ChannelContactModel, own: Sequence[OwnFeature] = ()) -> bool:
    """Return whether a channel's arrays fit the feature set and the own columns after it."""
    sizes = {len(part) for part in (channel.centre, channel.scale, channel.coefficients)}
    return sizes == {len(contact_feature_names(own))} and bool(channel.score_quantiles) and min(channel.scale) > 0
