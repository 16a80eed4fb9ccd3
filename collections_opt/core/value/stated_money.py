"""The money to expect of a list, apart from the money that chose it.

A solver takes the accounts whose estimated increments are largest, and of noisy estimates the largest are on average too
large. So what was optimised (the objective, with its certificate) and what to expect are two figures. The second is shrunk by how
much less estimates that did not choose say of whom estimates that did choose: effects learned on some people choose, effects
learned on others are added up, and the ratio of the two sums, over all folds, is the factor. Where nobody was observed, as under
a plan's assumed effects, there is nothing to shrink by and no interval to show; the sensitivity to the assumption is stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.core.value.effects import (
    ContactEffects,
    QueueEffect,
    TotalError,
    WeightedCells,
    at_attempts,
    kept_share,
)
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.core.value.payoffs import CostBasis, Floats, Payoffs
from collections_opt.core.value.valuation import contacted_probability, increment

EffectsOf = Callable[[Portfolio, CapacityPlan], ContactEffects]

SAMPLE_ACCOUNTS = 50_000
"""Accounts on which the factor is counted, every k-th of the portfolio: a ratio of sums over so many is known to a percent."""

NORMAL_95 = 1.959963984540054

SCALE_EXPECTED, SCALE_SPREAD = 0.9, 0.5
"""What drawn people leave of promised money before any was drawn, give or take: chances without contact are estimates, and
contact moves those in the middle most, so that effects that are right on average promise too much; and a plan may be off by half.
"""

FACTOR_SCALE = 10**9

_HALF, _DOUBLE = 0.5, 2.0


@dataclass(frozen=True)
class ListedCells:
    """The accounts a list works: rows of the portfolio, int64 (m,), and the queue of each, int64 (m,)."""

    rows: NDArray[np.int64]
    queue: NDArray[np.int64]


@dataclass(frozen=True)
class StatedMoney:
    """What a list is expected to add over contacting nobody; int64 minor units.

    Attributes:
        expected_minor: the figure to state: contact value after shrinkage, less what contact costs.
        chosen_by_minor: what the list adds by the estimates that chose it, the sum of its increments.
        learned_minor: part of ``expected_minor`` that rests on effects estimated from contacts, before cost.
        learned_low_minor: lower end of its 95 % interval by the effects' error.
        learned_high_minor: upper end.
        assumed_minor: part of ``expected_minor`` that rests on effects that nobody observed, before cost.
        cost_minor: what contact costs.
        shrinkage_nano: factor on the learned part, in 1e-9; 1e9 where nothing was learned.
        if_half_minor: ``expected_minor`` were the assumed effects half as strong.
        if_double_minor: were they twice as strong.
        break_even_nano: strength of the assumed effects, in 1e-9 of the plan's, below which the list costs more than it adds; 0
            if it adds at any strength, -1 if at none up to twice the plan's.
    """

    expected_minor: int
    chosen_by_minor: int
    learned_minor: int
    learned_low_minor: int
    learned_high_minor: int
    assumed_minor: int
    cost_minor: int
    shrinkage_nano: int
    if_half_minor: int
    if_double_minor: int
    break_even_nano: int

    @property
    def low_minor(self) -> int | None:
        """Lower end of the 95 % interval of the whole; None where a part of it was never observed."""
        return None if self.assumed_minor else self.learned_low_minor - self.cost_minor

    @property
    def high_minor(self) -> int | None:
        """Upper end likewise."""
        return None if self.assumed_minor else self.learned_high_minor - self.cost_minor

    @property
    def range_minor(self) -> tuple[int, int]:
        """What to expect at least and at most: the 95 % interval where all effects were observed.

        Otherwise from assumed effects that do nothing to assumed effects twice as strong, beside the interval of the learned
        ones: that contact does anything is an assumption too.
        """
        high = self.learned_high_minor - self.learned_minor
        if not self.assumed_minor:
            return self.learned_low_minor - self.cost_minor, self.learned_high_minor - self.cost_minor
        return self.learned_low_minor - self.cost_minor, self.if_double_minor + high

    @property
    def shrinkage(self) -> float:
        """Factor on the learned part."""
        return self.shrinkage_nano / FACTOR_SCALE


@dataclass(frozen=True)
class ValueOfContact:
    """What accounts are valued with: everything but the effects; n accounts.

    Attributes:
        portfolio: the accounts.
        plan: queues, their times and costs.
        outcomes: probabilities without contact.
        worth: payoffs.
        cost_basis: which cost per minute enters.
        attempts: uint8 (n, q) attempts offered where they are fewer than the queue's, 0 elsewhere; None where they never are.
    """

    portfolio: Portfolio
    plan: CapacityPlan
    outcomes: OutcomeProbabilities
    worth: Payoffs
    cost_basis: CostBasis
    attempts: NDArray[np.uint8] | None = None

    def take(self, rows: NDArray[np.int64]) -> ValueOfContact:
        """Return the same for some rows, sorted."""
        return replace(
            self,
            portfolio=self.portfolio.take(rows),
            outcomes=_taken(self.outcomes, rows),
            worth=_taken(self.worth, rows),
            attempts=None if self.attempts is None else self.attempts[rows],
        )

    def offered(self, queue: int) -> NDArray[np.uint8] | None:
        """Return a queue's column of ``attempts``."""
        return None if self.attempts is None else self.attempts[:, queue]


def state_money(
    value: ValueOfContact,
    effects_of: EffectsOf,
    listed: ListedCells,
    allowed: NDArray[np.bool_],
    prices: NDArray[np.int64],
) -> StatedMoney:
    """Return what to expect of a list.

    Args:
        value: the accounts and what they are valued with.
        effects_of: the effects that chose.
        listed: whom the list works, where.
        allowed: bool (n, q) where accounts may be worked.
        prices: int64 (q,) final prices in ``PRICE_SCALE`` per second: by them the folds choose as the list was chosen.
    """
    order = np.lexsort((listed.rows, listed.queue))
    rows, queue = listed.rows[order], listed.queue[order]
    parts = list(_parts(value, effects_of, rows, queue))
    error = _error(value, effects_of, rows, queue, parts)
    starts = np.cumsum([0, *(part.gross.size for part in parts)])
    known = [error.known[start:stop] for start, stop in pairwise(starts.tolist())]
    learned = float(sum(part.gross[mine].sum() for part, mine in zip(parts, known, strict=True)))
    cost = sum(part.cost for part in parts)
    at = {
        factor: sum(part.assumed(factor, ~mine) for part, mine in zip(parts, known, strict=True))
        for factor in (0.25, _HALF, 1.0, _DOUBLE)
    }
    factor, deviation = 1.0, 0.0
    if learned:
        factor, deviation = _kept_of(learned, _shrinkage(value, effects_of, allowed, prices), error)
    kept, spread = factor * learned, NORMAL_95 * deviation
    whole = kept + at[1.0] - cost
    return StatedMoney(
        expected_minor=round(whole),
        chosen_by_minor=round(learned + at[1.0] - cost),
        learned_minor=round(kept),
        learned_low_minor=round(kept - spread),
        learned_high_minor=round(kept + spread),
        assumed_minor=round(at[1.0]),
        cost_minor=round(cost),
        shrinkage_nano=round(factor * FACTOR_SCALE),
        if_half_minor=round(kept + at[_HALF] - cost),
        if_double_minor=round(kept + at[_DOUBLE] - cost),
        break_even_nano=_break_even(kept - cost, at),
    )


@dataclass(frozen=True)
class _Part:
    """One queue's m cells: contact value before cost, what a change of each probability is worth there, and what scales it.

    Attributes:
        effect: at the attempts offered.
        probability: float64 (m, 3) without contact.
        gross: float64 (m,) contact value before cost.
        cost: of all cells.
        cures: float64 (m,) worth of a unit change of p_cure.
        defaults: float64 (m,) of p_default.
        kept: float64 (m,) share of the effect of all attempts that is left.
    """

    effect: QueueEffect
    probability: Floats
    gross: Floats
    cost: float
    cures: Floats
    defaults: Floats
    kept: Floats

    def assumed(self, factor: float, cells: NDArray[np.bool_]) -> float:
        """Return the contact value of some cells were the effects stronger by a factor."""
        if not cells.any():
            return 0.0
        shift = contacted_probability(self.probability, _scaled(self.effect, factor)) - self.probability
        return float((shift[:, 0] * self.cures + shift[:, 1] * self.defaults)[cells].sum())


def _parts(value: ValueOfContact, effects_of: EffectsOf, rows: NDArray[np.int64], queue: NDArray[np.int64]) -> Iterator[_Part]:
    for index in np.unique(queue).tolist():
        part = value.take(rows[queue == index])
        yield _part(part, effects_of(part.portfolio, part.plan), index)


def _part(part: ValueOfContact, effects: ContactEffects, queue: int) -> _Part:
    every, probability = slice(0, part.portfolio.account_count), part.outcomes.probability
    planned, offered = part.plan.queues[queue].attempts, part.offered(queue)
    whole = effects.block(every, queue, probability)
    effect = at_attempts(whole, planned, offered)
    worked = increment(probability, effect, part.plan.queues[queue], part.worth, every, part.cost_basis)
    cures, defaults = part.worth.cure - part.worth.stay, -(part.worth.stay - part.worth.default)
    kept = kept_share(whole.rpc_rate, planned, offered)
    gross = worked.from_cure + worked.from_default
    return _Part(effect, probability, gross, float(worked.cost.sum()), cures, defaults, kept)


def _error(
    value: ValueOfContact, effects_of: EffectsOf, rows: NDArray[np.int64], queue: NDArray[np.int64], parts: Sequence[_Part]
) -> TotalError:
    """Return the error of the contact value of all cells, asked for once: queues share what was learned.

    The cells are in the order of ``parts``; the error is of an effect of all attempts, so what is left of it weighs.
    """
    if not parts:
        return TotalError(0.0, np.zeros(0, dtype=bool))
    sorted_rows = np.sort(rows)
    cells = WeightedCells(
        np.searchsorted(sorted_rows, rows),
        queue,
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.kept * part.cures for part in parts]),
        np.concatenate([part.kept * part.defaults for part in parts]),
    )
    return effects_of(value.portfolio.take(sorted_rows), value.plan).total_error(cells)


def _scaled(effect: QueueEffect, factor: float) -> QueueEffect:
    change = effect.change
    scaled = None if change is None else change.times(factor)
    return replace(effect, theta_cure=factor * effect.theta_cure, theta_default=factor * effect.theta_default, change=scaled)


def _shrinkage(value: ValueOfContact, effects_of: EffectsOf, allowed: NDArray[np.bool_], prices: NDArray[np.int64]) -> float:
    """Return what estimates of other people say of whom estimates chose, as a share of what the choosing ones say, in [0, 1]."""
    count = value.portfolio.account_count
    rows = np.arange(0, count, max(count // SAMPLE_ACCOUNTS, 1), dtype=np.int64)
    sample = value.take(rows)
    chose = summed = 0.0
    for fold in effects_of(sample.portfolio, sample.plan).folds:
        by_chooser, minutes, costs = _gross(sample, fold.choosing)
        by_others, _, _ = _gross(sample, fold.summing)
        price = prices.astype(np.float64) * 60.0 / PRICE_SCALE
        surplus = np.where(allowed[rows] & (by_chooser > costs), by_chooser - costs - minutes * price, -np.inf)
        best = surplus.argmax(axis=1)
        taken = np.flatnonzero(surplus[np.arange(rows.size), best] > 0)
        chose += float(by_chooser[taken, best[taken]].sum())
        summed += float(by_others[taken, best[taken]].sum())
    return min(max(summed / chose, 0.0), 1.0) if chose > 0 else 1.0


def _kept_of(learned: float, shrinkage: float, error: TotalError) -> tuple[float, float]:
    """Return the factor on learned money and the standard error of what is kept.

    With s what other people's estimates leave, and k what drawn people were found to leave with error e:

        factor = w k + (1 - w) .9 s,    w = .5^2 / (.5^2 + e^2)

    Its error has three parts: that of k, the spread of k where it is not known, and the error of the effects there.
    """
    if error.scale is None:
        return shrinkage, shrinkage * error.standard_error
    found, expected = error.scale, SCALE_EXPECTED * shrinkage
    weight = SCALE_SPREAD**2 / (SCALE_SPREAD**2 + found.standard_error**2)
    apart = np.array([weight * found.standard_error, (1.0 - weight) * SCALE_SPREAD]) * learned
    of_effects = (1.0 - weight) * expected * error.standard_error
    return weight * found.estimate + (1.0 - weight) * expected, float(np.linalg.norm([*apart, of_effects]))


def _gross(sample: ValueOfContact, effects: ContactEffects) -> tuple[Floats, Floats, Floats]:
    """Return contact value before cost, minutes and cost of every cell, float64 (m, q) each."""
    every = slice(0, sample.portfolio.account_count)
    probability, columns = sample.outcomes.probability, []
    for index, queue in enumerate(sample.plan.queues):
        effect = at_attempts(effects.block(every, index, probability), queue.attempts, sample.offered(index))
        cell = increment(probability, effect, queue, sample.worth, every, sample.cost_basis)
        columns.append((cell.from_cure + cell.from_default, cell.minutes, cell.cost))
    gross, minutes, cost = (np.column_stack(part) for part in zip(*columns, strict=True))
    return gross, minutes, cost


def _break_even(rest: float, at: dict[float, float]) -> int:
    """Return where the straight pieces between the strengths counted cross zero money, in 1e-9."""
    if rest >= 0:
        return 0
    strengths, money = [0.0], [rest]
    for factor, gross in sorted(at.items()):
        if rest + gross >= 0:
            share = -money[-1] / (rest + gross - money[-1])
            return round((strengths[-1] + share * (factor - strengths[-1])) * FACTOR_SCALE)
        strengths.append(factor)
        money.append(rest + gross)
    return -1


def listed_cells(queue: NDArray[np.int16], explored: NDArray[np.uint8]) -> ListedCells:
    """Return whom a ranking chose to work, int16 (n,) queues and uint8 (n,) drawn at random: the latter were not chosen."""
    rows = np.flatnonzero((queue != UNASSIGNED) & (explored == 0))
    return ListedCells(rows.astype(np.int64), queue[rows].astype(np.int64))


def _taken(columns: Any, rows: NDArray[np.int64]) -> Any:
    """Return a dataclass of columns for some rows; what is no column stays."""
    held = {field.name: getattr(columns, field.name) for field in fields(columns)}
    return replace(columns, **{name: value[rows] for name, value in held.items() if isinstance(value, np.ndarray)})
