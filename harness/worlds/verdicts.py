"""What a bench over worlds promises, and whether its figures keep it: from the numbers alone.

Figures are ``worlds[world][arm]``, one true money per seed, and ``stated[world][arm]``, what each list said of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

SHARES = (0.01, 0.05, 0.20)
PARTS = (("1/16", 1 / 16), ("1/4", 1 / 4), ("whole", 1.0))
STATED_BAND = (0.80, 1.25)
NOTHING_LOST, NEVER_BELOW = 0.02, 0.01
REACHED = {0.20: 0.95, 0.05: 0.90}


def learned_arm(share: float, part: str) -> str:
    """Return the name of the arm learned with a randomised share from a part of the log."""
    return f"LEARNED {share:.0%} {part}"


@dataclass(frozen=True)
class Spread:
    """A mean over seeds with its 95 % interval."""

    mean: float
    half: float

    @property
    def low(self) -> float:
        return self.mean - self.half

    @property
    def high(self) -> float:
        return self.mean + self.half


def spread(values: Iterable[float]) -> Spread:
    """Return the mean with Student's interval; of one seed the interval is without end."""
    held = np.array(list(values), dtype=np.float64)
    if held.size < 2:
        return Spread(float(held.mean()), float("inf"))
    error = float(held.std(ddof=1) / np.sqrt(held.size))
    return Spread(float(held.mean()), float(student.ppf(0.975, held.size - 1)) * error)


@dataclass(frozen=True)
class Figures:
    """All figures of the bench by world and arm, a value per seed: true money, stated money and the range stated with it;
    ``learnable`` by world.
    """

    true: Mapping[str, Mapping[str, Sequence[float]]]
    stated: Mapping[str, Mapping[str, Sequence[float]]]
    low: Mapping[str, Mapping[str, Sequence[float]]]
    high: Mapping[str, Mapping[str, Sequence[float]]]
    learnable: Mapping[str, bool]

    def worlds(self) -> list[str]:
        """Return the worlds, the one first in which learning with 5 % reaches least of the oracle."""
        return sorted(self.true, key=lambda name: self.share(name, learned_arm(0.05, "whole")).mean)

    def scale(self, world: str) -> np.ndarray:
        """Return what money is shared by: the oracle's, or what ASSUMED's list loses where nothing can be won."""
        oracle = np.array(self.true[world]["ORACLE"], dtype=np.float64)
        return oracle if (oracle > 0).all() else np.abs(np.array(self.true[world]["ASSUMED"], dtype=np.float64))

    def winnable(self, world: str) -> bool:
        """Return whether any list adds money in a world."""
        return min(self.true[world]["ORACLE"]) > 0

    def share(self, world: str, arm: str) -> Spread:
        """Return an arm's money as a share of the scale."""
        return spread(np.array(self.true[world][arm]) / self.scale(world))

    def beside(self, world: str, arm: str, other: str) -> Spread:
        """Return how much more of the scale an arm has than another, seed by seed."""
        return spread((np.array(self.true[world][arm]) - np.array(self.true[world][other])) / self.scale(world))

    def of_reachable(self, world: str, arm: str) -> Spread:
        """Return an arm's money as a share of what the columns can reach."""
        return spread(np.array(self.true[world][arm]) / np.array(self.true[world]["REACHABLE"]))

    def stated_over_true(self, world: str, arm: str) -> Spread:
        """Return stated over true money."""
        return spread(np.array(self.stated[world][arm]) / np.array(self.true[world][arm]))

    def held(self, world: str, arm: str) -> tuple[int, int]:
        """Return in how many seeds the stated range holds the true money, and of how many."""
        true, low, high = (np.array(part[world][arm]) for part in (self.true, self.low, self.high))
        return int(((low <= true) & (true <= high)).sum()), true.size


@dataclass(frozen=True)
class Promise:
    """A promise with every figure that it is about: (where, value, limit kept)."""

    text: str
    found: tuple[tuple[str, str, bool], ...]

    @property
    def kept(self) -> bool:
        """Whether all figures keep it."""
        return all(kept for _, _, kept in self.found)

    def sentence(self) -> str:
        """Return the promise as a sentence of the page."""
        broken = [f"{where} {value}" for where, value, kept in self.found if not kept]
        count = len(self.found)
        if not broken:
            return f"{self.text}: kept ({count} of {count})."
        return f"{self.text}: missed in {len(broken)} of {count}: {', '.join(broken)}."


def promises(figures: Figures) -> list[Promise]:
    """Return all promises in the order of the page."""
    arms = [learned_arm(share, part) for share in SHARES for part, _ in PARTS]
    worlds = figures.worlds()
    return [
        _floor("Learned effects are not below ASSUMED by more than 1 point", figures, arms, "ASSUMED", NEVER_BELOW),
        _floor("Learned effects are not below BALANCE by more than 1 point", figures, arms, "BALANCE", NEVER_BELOW),
        *(_reached(figures, share, least) for share, least in REACHED.items()),
        Promise(
            "Where ASSUMED is right or contact does nothing, learning loses at most 2 %",
            tuple(_lost(figures, world, arm) for world in worlds if world in ("assumed", "nothing") for arm in arms),
        ),
        _floor("As shipped is not below BALANCE", figures, ["AS_SHIPPED"], "BALANCE", 0.0),
        Promise(
            "Stated money of learned effects lies within .80 to 1.25 of true money",
            tuple(_stated(figures, world, learned_arm(share, "whole")) for world in worlds for share in SHARES),
        ),
        *(
            Promise(
                f"The range stated {name} holds the true money in every seed",
                tuple(_held(figures, world, arm) for world in worlds),
            )
            for name, arm in (
                ("as shipped", "AS_SHIPPED"),
                *((f"with {share:.0%}", learned_arm(share, "whole")) for share in SHARES),
            )
        ),
    ]


def points(value: Spread) -> str:
    """Return a difference of shares for people."""
    return f"{100 * value.mean:+.1f}{f' (± {100 * value.half:.1f})' if np.isfinite(value.half) else ''}"


def percent(value: Spread) -> str:
    """Return a share for people."""
    return f"{100 * value.mean:.1f}{f' ± {100 * value.half:.1f}' if np.isfinite(value.half) else ''}"


def ratio(value: Spread) -> str:
    """Return a ratio for people."""
    return f"{value.mean:.2f}{f' ± {value.half:.2f}' if np.isfinite(value.half) else ''}"


def _floor(text: str, figures: Figures, arms: Sequence[str], other: str, least: float) -> Promise:
    found = []
    for world in figures.worlds():
        for arm in arms:
            value = figures.beside(world, arm, other)
            found.append((f"{world} {arm}", points(value), value.mean >= -least))
    return Promise(text, tuple(found))


def _reached(figures: Figures, share: float, least: float) -> Promise:
    arm, found = learned_arm(share, "whole"), []
    for world in figures.worlds():
        if figures.learnable[world]:
            value = figures.of_reachable(world, arm)
            found.append((world, f"{percent(value)} %", value.mean >= least))
    return Promise(
        f"With {share:.0%} randomised, {least:.0%} of what the columns can reach where effects can be learned", tuple(found)
    )


def _lost(figures: Figures, world: str, arm: str) -> tuple[str, str, bool]:
    true, assumed = (np.array(figures.true[world][name], dtype=np.float64) for name in (arm, "ASSUMED"))
    value = spread((true - assumed) / np.abs(assumed))
    return f"{world} {arm}", points(value), value.mean >= -NOTHING_LOST


def _held(figures: Figures, world: str, arm: str) -> tuple[str, str, bool]:
    held, seeds = figures.held(world, arm)
    return world, f"{held} of {seeds}", held == seeds


def _stated(figures: Figures, world: str, arm: str) -> tuple[str, str, bool]:
    if not figures.winnable(world):
        # Nothing is won and the list costs what it costs: what it states may miss that by a quarter of ASSUMED's cost at most.
        stated, true = (np.array(part[world][arm]) for part in (figures.stated, figures.true))
        off = spread((stated - true) / figures.scale(world))
        return f"{world} {arm}", f"{points(off)} of the cost", abs(off.mean) <= STATED_BAND[1] - 1.0
    value = figures.stated_over_true(world, arm)
    return f"{world} {arm}", ratio(value), STATED_BAND[0] <= value.mean <= STATED_BAND[1]
