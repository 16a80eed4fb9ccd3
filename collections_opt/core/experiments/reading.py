"""What contact was worth, or the choice of a queue: people who would have been worked, treated as drawn, and what came of them.

The comparison is by intention to treat: who was drawn for contact counts as contacted, whether reached or not; who was drawn to
be left alone counts so, whatever happened. One row is one person, so everything of a person is one observation (the arms are
clustered by person because there is nothing below). Within each arm the outcome is regressed on what was predicted before the
draw, and both arms are compared at the mean prediction of all (Lin 2013; CUPED where the slopes agree): consistent whatever the
prediction is worth. Variances are those of residuals within each arm, unequal between arms.

Where queues were drawn, each two of them are compared too, by people for whom both were worth their minutes at the final prices
and one of them was drawn. That both were worth it says nothing of the draw, and whichever was drawn worked them.

Two intervals go with every effect. The fixed one is right at one look, at the planned end. The anytime-valid one may be looked at
every day and acted upon: the asymptotic confidence sequence with a Gaussian mixture boundary of Waudby-Smith, Arbour, Sinha,
Kennedy and Ramdas (Annals of Statistics 52, 2024, theorem 2.2), tuned to be narrowest at the planned number of people.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import SHARE_SCALE, StopRule
from collections_opt.core.experiments.power import LEVEL, MIN_ARM_PERSONS, Z_LEVEL

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAW_DOUBTED_Z = 4.0
"""Arms whose sizes stray further from the share than this many standard deviations were not drawn as recorded: 1 in 16,000."""


@dataclass(frozen=True)
class ArmMoments:
    """Counts and sums of one arm over people, float64 arrays of one shape: a look, or looks times runs.

    Attributes:
        count: people.
        x, y: sums of predictions and outcomes.
        xx, xy, yy: sums of their products.
    """

    count: Floats
    x: Floats
    y: Floats
    xx: Floats
    xy: Floats
    yy: Floats

    @classmethod
    def of(cls, prediction: Floats, outcome: Floats) -> ArmMoments:
        """Return the moments of people, float64 (n,) each."""
        x, y = prediction, outcome
        sums = (np.float64(x.size), x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum())
        return cls(*(np.asarray(each, dtype=np.float64) for each in sums))


@dataclass(frozen=True)
class Contrast:
    """Contact less left alone, per person, in the shape of the moments: estimate, standard error, and people of both arms."""

    effect: Floats
    error: Floats
    count: Floats

    def fixed(self) -> tuple[Floats, Floats]:
        """Return the 95 % interval that is right at one look."""
        return self.effect - Z_LEVEL * self.error, self.effect + Z_LEVEL * self.error

    def anytime(self, planned_count: float) -> tuple[Floats, Floats]:
        """Return the 95 % interval that is right at all looks together."""
        width = anytime_factor(self.count, planned_count) * self.error
        return self.effect - width, self.effect + width


def contrast(contact: ArmMoments, held: ArmMoments) -> Contrast:
    """Return the difference of two arms at the mean prediction of all; each arm holds three people or more."""
    count = contact.count + held.count
    centre = (contact.x + held.x) / count
    means, variances, slopes, spreads = [], [], [], []
    for arm in (contact, held):
        mean_x, mean_y = arm.x / arm.count, arm.y / arm.count
        sxx = np.maximum(arm.xx - arm.count * mean_x**2, 0.0)
        sxy = arm.xy - arm.count * mean_x * mean_y
        syy = np.maximum(arm.yy - arm.count * mean_y**2, 0.0)
        known = sxx > 1e-9 * np.maximum(arm.xx, 1e-300)  # a prediction that is the same for all tells nothing
        slope = np.divide(sxy, sxx, out=np.zeros_like(sxy), where=known)
        rest = np.maximum(syy - slope * sxy, 0.0)
        means.append(mean_y - slope * (mean_x - centre))
        variances.append(rest / (arm.count - 2.0) / arm.count)
        slopes.append(slope)
        spreads.append(sxx)
    # The mean prediction of all is itself of a sample: it matters where the arms' slopes differ.
    wobble = (slopes[0] - slopes[1]) ** 2 * (spreads[0] + spreads[1]) / count**2
    return Contrast(means[0] - means[1], np.sqrt(variances[0] + variances[1] + wobble), count)


def anytime_factor(count: Floats, planned_count: float) -> Floats:
    """Return by how many standard errors the anytime-valid interval reaches out, at each number of people."""
    alpha = 1.0 - LEVEL
    rho2 = (-2.0 * math.log(alpha) + math.log(-2.0 * math.log(alpha) + 1.0)) / planned_count
    inside = count * rho2 + 1.0
    return np.asarray(np.sqrt(2.0 * inside / (count * rho2) * np.log(np.sqrt(inside) / alpha)), dtype=np.float64)


@dataclass(frozen=True)
class EnteredPersons:
    """People whom the final prices would have had worked, one row per person, whose horizon has passed.

    Attributes:
        arm: uint8 (p,), an ``Arm`` other than NONE.
        queue: int16 (p,) queue in which they would have been worked first.
        prediction: float64 (p,) what was predicted of them before the draw mattered, in minor units.
        outcomes: by name, float64 (p,): money in minor units, or 1 and 0.
        drawn: int16 (p,) queue that was drawn for a person, -1 for none; None where none are.
        worth: bool (p, q) queues worth a person's minutes at the final prices; None likewise.
    """

    arm: NDArray[np.uint8]
    queue: NDArray[np.int16]
    prediction: Floats
    outcomes: dict[str, Floats]
    drawn: NDArray[np.int16] | None = None
    worth: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Effect:
    """What contact, or a queue, changed per person in one outcome: an estimate with both intervals.

    ``mean_contact`` is the mean of the arm that is compared, ``mean_held_out`` that of the arm that it is compared with.
    """

    outcome: str
    effect: float
    fixed_low: float
    fixed_high: float
    anytime_low: float
    anytime_high: float
    mean_contact: float
    mean_held_out: float


@dataclass(frozen=True)
class GroupReading:
    """One queue, or all together.

    Attributes:
        queue: its index, -1 for all.
        contact_count: people contacted as the rankings decided.
        held_out_count: people who were drawn: left alone, or for a queue.
        needed_count: people that each arm needs; the effects are empty while one holds fewer.
        effects: by outcome.
    """

    queue: int
    contact_count: int
    held_out_count: int
    needed_count: int
    effects: tuple[Effect, ...]

    @property
    def refused(self) -> bool:
        """Whether an arm is too small to be read."""
        return min(self.contact_count, self.held_out_count) < self.needed_count


@dataclass(frozen=True)
class QueuePair:
    """Two queues that were drawn, the first less the second.

    Attributes:
        first: index of the first.
        second: index of the second.
        first_count: people for whom the first was drawn, of those whom both were worth.
        second_count: the same of the second.
        needed_count: people that each needs; the effects are empty while one holds fewer.
        effects: by outcome.
    """

    first: int
    second: int
    first_count: int
    second_count: int
    needed_count: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Reading:
    """An experiment as it stands.

    Attributes:
        groups: all together first, then each queue in which somebody would have been worked.
        arms_z: how far the arms' sizes are from the share drawn, in standard deviations.
        may_stop: whether the declared rule lets it end now.
        pairs: each two queues of which both were drawn for somebody.
    """

    groups: tuple[GroupReading, ...]
    arms_z: float
    may_stop: bool
    pairs: tuple[QueuePair, ...] = ()

    @property
    def draw_doubted(self) -> bool:
        """Whether the arms cannot have been drawn with the share recorded: then no effect is to be believed."""
        return abs(self.arms_z) > DRAW_DOUBTED_Z


def read_experiment(
    persons: EnteredPersons, share_nano: int, planned_count: int, stop_rule: StopRule = StopRule.LAST_DAY, queues: int = 0
) -> Reading:
    """Return what an experiment shows so far.

    Args:
        persons: those who entered and matured.
        share_nano: chance of being left alone, in 1e-9.
        planned_count: people planned to enter.
        stop_rule: as declared.
        queues: number of queues to read by; 0 reads all together alone.
    """
    everyone = np.ones(persons.arm.size, dtype=bool)
    groups = [_group(persons, everyone, -1, planned_count)]
    for queue in range(queues):
        mine = persons.queue == queue
        if mine.any():
            groups.append(_group(persons, mine, queue, planned_count * float(mine.mean())))
    cash = next((each for each in groups[0].effects if each.outcome == "cash"), None)
    decided = cash is not None and (cash.anytime_low > 0 or cash.anytime_high < 0)
    z = arms_z(groups[0].held_out_count, persons.arm.size, share_nano)
    may_stop = stop_rule is StopRule.CASH_DECIDED and decided and abs(z) <= DRAW_DOUBTED_Z
    return Reading(tuple(groups), z, may_stop, tuple(_pairs(persons, planned_count)))


def arms_z(held_out: int, count: int, share_nano: int) -> float:
    """Return how far the number left alone is from what the share draws, in standard deviations; 0 for nobody."""
    share = share_nano / SHARE_SCALE
    return (held_out - share * count) / math.sqrt(share * (1.0 - share) * count) if count else 0.0


def _group(persons: EnteredPersons, mine: NDArray[np.bool_], queue: int, planned: float) -> GroupReading:
    contact = mine & (persons.arm == Arm.CONTACT)
    held = mine & (persons.arm != Arm.CONTACT)
    counts = int(contact.sum()), int(held.sum())
    effects: Sequence[Effect] = ()
    if min(counts) >= MIN_ARM_PERSONS:
        effects = [_effect(persons, name, contact, held, planned) for name in persons.outcomes]
    return GroupReading(queue, *counts, MIN_ARM_PERSONS, tuple(effects))


def _pairs(persons: EnteredPersons, planned: int) -> Iterator[QueuePair]:
    """Yield each two queues that were drawn, compared by people whom both were worth."""
    if persons.drawn is None or persons.worth is None:
        return
    drawn = persons.arm == Arm.RANDOM_QUEUE
    for first, second in combinations(range(persons.worth.shape[1]), 2):
        both = drawn & persons.worth[:, first] & persons.worth[:, second]
        one, other = both & (persons.drawn == first), both & (persons.drawn == second)
        counts = int(one.sum()), int(other.sum())
        if not min(counts):
            continue
        effects: Sequence[Effect] = ()
        if min(counts) >= MIN_ARM_PERSONS:
            share = sum(counts) / persons.arm.size
            effects = [_effect(persons, name, one, other, planned * share) for name in persons.outcomes]
        yield QueuePair(first, second, *counts, MIN_ARM_PERSONS, tuple(effects))


def _effect(persons: EnteredPersons, name: str, contact: NDArray[np.bool_], held: NDArray[np.bool_], planned: float) -> Effect:
    x, y = persons.prediction, persons.outcomes[name]
    middle = float(x[contact | held].mean())  # sums of squares about the middle lose no digits
    found = contrast(*(ArmMoments.of(x[arm] - middle, y[arm]) for arm in (contact, held)))
    fixed, anytime = found.fixed(), found.anytime(max(planned, 1.0))
    return Effect(
        name,
        float(found.effect),
        float(fixed[0]),
        float(fixed[1]),
        float(anytime[0]),
        float(anytime[1]),
        float(y[contact].mean()),
        float(y[held].mean()),
    )
