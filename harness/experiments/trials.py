"""Trials in columns: runs of people who enter day by day, pay or not, and are read at every look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.experiments.power import MIN_ARM_PERSONS, OutcomeSpread, detectable_minor
from collections_opt.core.experiments.reading import ArmMoments, Contrast, contrast

Floats = NDArray[np.float64]

PEOPLE, DAYS, SHARE = 12_000, 60, 0.1
AT_ONCE = 0.4
"""Share of people who are there on the first day; the others enter evenly."""


@dataclass(frozen=True)
class Trial:
    """Runs of one world; r runs of p people in the order in which they mature.

    Attributes:
        held: bool (r, p).
        prediction: float64 (r, p).
        cash: float64 (r, p).
    """

    held: NDArray[np.bool_]
    prediction: Floats
    cash: Floats


def drawn(generator: np.random.Generator, runs: int, lift: float = 0.0, added: float = 0.0, people: int = PEOPLE) -> Trial:
    """Draw runs: few pay, amounts have a heavy tail, predictions are half right, and contact lifts the odds of paying.

    Args:
        generator: of everything.
        runs: how many.
        lift: what contact adds to the log-odds of paying, more for those who are likelier to pay.
        added: cents that contact adds to everybody.
        people: of each run.
    """
    shape = (runs, people)
    ability = generator.normal(0.0, 1.0, shape)
    amount = np.exp(generator.normal(9.5, 1.0, shape) + 0.3 * ability)
    held = generator.random(shape) < SHARE
    odds = -0.8 + ability + np.where(held, 0.0, lift * (1.0 + 0.5 * ability))
    pays = generator.random(shape) < 1.0 / (1.0 + np.exp(-odds))
    prediction = np.exp(9.5 + 0.3 * ability + 0.5) / (1.0 + np.exp(0.8 - ability)) * np.exp(generator.normal(0.0, 0.3, shape))
    return Trial(held, prediction, np.where(pays, amount, 0.0) + np.where(held, 0.0, added))


def true_effect(generator: np.random.Generator, lift: float, people: int = 4_000_000) -> float:
    """Return what contact adds per person in cents, by integrating over amounts of a large population."""
    ability = generator.normal(0.0, 1.0, people)
    amount = np.exp(9.5 + 0.5 + 0.3 * ability)  # mean of the lognormal given the ability
    chance = [1.0 / (1.0 + np.exp(-(-0.8 + ability + each * (1.0 + 0.5 * ability)))) for each in (lift, 0.0)]
    return float((amount * (chance[0] - chance[1])).mean())


def looks(people: int = PEOPLE) -> NDArray[np.int64]:
    """Return how many people have matured at each day's look, int64 (d,)."""
    first = round(AT_ONCE * people)
    return np.linspace(first, people, DAYS).round().astype(np.int64)


def at_looks(trial: Trial, ends: NDArray[np.int64]) -> tuple[Contrast, NDArray[np.bool_]]:
    """Return contrasts, (r, d), and where both arms are large enough to be read."""
    middle = trial.prediction.mean()
    x, y = trial.prediction - middle, trial.cash
    arms = []
    for mask in (~trial.held, trial.held):
        sums = (
            np.cumsum(np.where(mask, each, 0.0), axis=1)[:, ends - 1] for each in (np.ones_like(x), x, y, x * x, x * y, y * y)
        )
        arms.append(ArmMoments(*sums))
    readable = np.minimum(arms[0].count, arms[1].count) >= MIN_ARM_PERSONS
    return contrast(*arms), readable


def covered(trial: Trial, truth: float, planned: int = PEOPLE) -> dict[str, NDArray[np.bool_]]:
    """Return, by kind of interval and way of looking, which runs hold the truth, bool (r,)."""
    found, readable = at_looks(trial, looks(trial.held.shape[1]))

    def holds(interval: tuple[Floats, Floats]) -> NDArray[np.bool_]:
        return (interval[0] <= truth) & (interval[1] >= truth)

    fixed, anytime = holds(found.fixed()), holds(found.anytime(planned))
    return {
        "fixed, at the end": fixed[:, -1],
        "anytime-valid, at every look": (anytime | ~readable).all(axis=1),
        "planted: fixed, at every look": (fixed | ~readable).all(axis=1),
    }


def decided_early(trial: Trial, planned: int = PEOPLE) -> NDArray[np.bool_]:
    """Return which runs the declared rule would end at some look, bool (r,)."""
    found, readable = at_looks(trial, looks(trial.held.shape[1]))
    low, high = found.anytime(planned)
    return (((low > 0) | (high < 0)) & readable).any(axis=1)


def spread_of_past(generator: np.random.Generator, people: int = 40_000) -> OutcomeSpread:
    """Return the spread of cash as a lender would measure it on people of the past."""
    past = drawn(generator, 1, people=people)
    skewness = float((((past.cash - past.cash.mean()) / past.cash.std()) ** 3).mean())
    return OutcomeSpread(float(past.cash.std()), float(np.corrcoef(past.cash[0], past.prediction[0])[0, 1]), skewness)


def found_at_the_promised_size(generator: np.random.Generator, runs: int) -> tuple[float, float, float]:
    """Return the effect promised to be found, and the shares of runs that find it and that find nothing where nothing is.

    Cents that contact adds to everybody move a run's estimate by as much and leave its error as it is: one draw serves both.
    """
    promised = detectable_minor(spread_of_past(generator), SHARE, PEOPLE)
    low, high = at_looks(drawn(generator, runs), np.array([PEOPLE]))[0].fixed()
    finds = [float(((low + added > 0) | (high + added < 0)).mean()) for added in (promised, 0.0)]
    return promised, finds[0], finds[1]
