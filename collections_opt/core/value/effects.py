"""What contact does to the outcomes, per account and queue, served in blocks of rows so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan, EvidenceGrade, Queue

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ProbabilityChange:
    """Change of p_cure and p_default of m accounts by being worked, reached or not (intention to treat); float64 (m,) each."""

    cure: Floats
    default: Floats

    def times(self, factor: Floats | float) -> ProbabilityChange:
        """Return the change times a factor of each account, or of all."""
        return ProbabilityChange(factor * self.cure, factor * self.default)


@dataclass(frozen=True)
class QueueEffect:
    """The effect of one queue on a block of m accounts, float64 (m,) each.

    Whoever changes a part makes a copy with ``replace``, so that parts which it does not know stay.

    Attributes:
        rpc_rate: right-party-contact rate; handling minutes follow from it.
        theta_cure: shift of the log-odds cure:stay given a right-party contact.
        theta_default: downward shift of default:stay likewise.
        change: where given, what contact does, in place of the rate and the two shifts.
        attempts: attempts made; None where each account is offered all that the queue makes.
    """

    rpc_rate: Floats
    theta_cure: Floats
    theta_default: Floats
    change: ProbabilityChange | None = None
    attempts: Floats | None = None

    def take(self, rows: NDArray[np.int64]) -> QueueEffect:
        """Return the effect on some of the accounts."""
        parts: dict[str, Any] = {field.name: _taken(getattr(self, field.name), rows) for field in fields(self)}
        return QueueEffect(**parts)

    def handling_minutes(self, queue: Queue) -> Floats:
        """Return the minutes that the queue is expected to take for each account, float64 (m,)."""
        return queue.handling_minutes(self.rpc_rate, self.attempts)


def _taken(part: Floats | ProbabilityChange | None, rows: NDArray[np.int64]) -> Floats | ProbabilityChange | None:
    if isinstance(part, ProbabilityChange):
        return ProbabilityChange(part.cure[rows], part.default[rows])
    return None if part is None else part[rows]


def at_attempts(effect: QueueEffect, planned: float, offered: NDArray[np.uint8] | None) -> QueueEffect:
    """Return the effect of a queue where it makes fewer attempts than planned.

        rate(a') = 1 - (1 - rate)^(a' / a)

    as attempts that reach the person alike and independently do. What contact does, given that the person is reached, stays; a
    change of probabilities, which is of all attempts, shrinks as the rate does.

    Args:
        effect: of all attempts, of m accounts.
        planned: attempts a of the queue.
        offered: uint8 (m,) attempts a' offered, 0 where all are; None where all are everywhere.
    """
    if offered is None or not offered.any():
        return effect
    made = np.where(offered == 0, planned, offered.astype(np.float64))
    rate = np.where(offered == 0, effect.rpc_rate, 1.0 - np.power(1.0 - effect.rpc_rate, made / planned))
    change = effect.change
    if change is not None:
        change = change.times(kept_share(effect.rpc_rate, planned, offered))
    return replace(effect, rpc_rate=rate, change=change, attempts=made)


def kept_share(rpc_rate: Floats, planned: float, offered: NDArray[np.uint8] | None) -> Floats:
    """Return rate(a') / rate, float64 (m,): what is left of an effect; 1 where all attempts are offered.

    Where nobody is reached, it is the limit for small rates, a' / a.
    """
    if offered is None:
        return np.ones(rpc_rate.shape)
    share = np.where(offered == 0, 1.0, offered / planned)
    rate = 1.0 - np.power(1.0 - rpc_rate, share)
    return np.where(offered == 0, 1.0, np.divide(rate, rpc_rate, out=share.copy(), where=rpc_rate > 0))


@dataclass(frozen=True)
class WeightedCells:
    """Chosen (account, queue) cells, and what a change of each probability is worth there; arrays of length m.

    The money of a choice is sum_i (cure_i * dp_cure_i + default_i * dp_default_i) - costs, with the weights of value-model
    section 4: ``cure`` = G_C - G_S and ``default`` = -(G_S - G_D), in minor units.

    Attributes:
        rows: int64, row of the portfolio.
        queue: int64, index into the plan's queues.
        probability: float64 (m, 3) without contact.
        cure: float64, worth of a unit change of p_cure.
        default: float64, worth of a unit change of p_default.
    """

    rows: NDArray[np.int64]
    queue: NDArray[np.int64]
    probability: Floats
    cure: Floats
    default: Floats


@dataclass(frozen=True)
class MoneyScale:
    """What people drawn at random, whom the effects had not seen, leave of the money that effects promise.

    Attributes:
        estimate: 1 where all of it was found, 0 where none was.
        standard_error: of the estimate.
    """

    estimate: float
    standard_error: float


@dataclass(frozen=True)
class TotalError:
    """How well the total of weighted changes is known.

    Attributes:
        standard_error: of the total over the cells with evidence, in the unit of the weights.
        known: bool (m,) cells whose effect was estimated from contacts. Of the others there is no evidence: their error is not
            zero but unknown, and no interval may be shown for money that rests on them.
        scale: what drawn people leave of the money of the known cells; None where it was not measured.
    """

    standard_error: float
    known: NDArray[np.bool_]
    scale: MoneyScale | None = None


class ContactEffects(Protocol):
    """Where effects come from: the plan's assumption, or a learned model."""

    @property
    def version(self) -> str:
        """Version recorded with the ranking."""
        ...

    @property
    def folds(self) -> tuple[EffectFold, ...]:
        """Pairs of estimates that share no person; empty where there is no evidence to split (ASSUMED)."""
        ...

    def evidence(self, queue: int) -> EvidenceGrade:
        """Return the evidence grade of a queue's effect."""
        ...

    def block(self, rows: slice, queue: int, probability: Floats) -> QueueEffect:
        """Return the effect of a queue on a block of accounts, ``probability`` float64 (m, 3) theirs without contact."""
        ...

    def contributions(self, rows: slice, queue: int, probability: Floats) -> Mapping[str, ProbabilityChange]:
        """Return what facts add to the changes of a block by feature group, in order; nothing where effects do not tell.

        Beside what the facts do to the chances without contact, ``probability``, which the changes depend on too.
        """
        ...

    def total_error(self, cells: WeightedCells) -> TotalError:
        """Return the standard error of sum_i (cure_i dp_cure_i + default_i dp_default_i), errors of the estimate alone.

        Linear in the parameters: the cells' weighted design, added up, times the covariance of the coefficients, and what is
        uncertain of the level. That the cells were chosen for being large is not in it; ``folds`` is for that.
        """
        ...


EffectsOf = Callable[[Portfolio, CapacityPlan], ContactEffects]
"""Returns the contact effects of every account and queue."""


@dataclass(frozen=True)
class EffectFold:
    """Two estimates of the same effects from people that the other never saw.

    Who is chosen for a large estimate has on average a smaller effect than estimated. So the money to expect is counted apart:
    choose by ``choosing``, add up what ``summing`` says of the chosen, and average over the folds. Both are shrunk alike, so that
    the sums differ from the served ones by selection and not by method.

    Attributes:
        choosing: learned from the people of all other folds.
        summing: learned from the people of this fold alone.
    """

    choosing: ContactEffects
    summing: ContactEffects


class PlannedEffects:
    """The plan's effect of each queue, decayed by the contacts already made: theta(n) = theta * gamma^n."""

    def __init__(self, portfolio: Portfolio, plan: CapacityPlan) -> None:
        self._contacts = portfolio.column("contacts_in_window_count")
        self._plan = plan

    @property
    def version(self) -> str:
        """The plan and its version: the effects live there."""
        return f"plan/{self._plan.plan_id}/{self._plan.version}"

    @property
    def folds(self) -> tuple[EffectFold, ...]:
        """None: an assumption has no people behind it."""
        return ()

    def evidence(self, queue: int) -> EvidenceGrade:
        """Return the grade stated in the plan."""
        return self._plan.queues[queue].effect.evidence

    def block(self, rows: slice, queue: int, probability: Floats) -> QueueEffect:  # noqa: ARG002 - a shift fits any chances
        """Return the effect of a queue on a block of accounts."""
        effect = self._plan.queues[queue].effect
        decay = np.power(effect.repeat_decay, self._contacts[rows].astype(np.float64))
        rate = np.full(decay.shape, effect.right_party_contact_rate, dtype=np.float64)
        return QueueEffect(rate, effect.theta_cure * decay, effect.theta_default * decay)

    def contributions(self, rows: slice, queue: int, probability: Floats) -> Mapping[str, ProbabilityChange]:  # noqa: ARG002
        """Return nothing: contacts already made weaken a plan's effect, and no other fact does anything."""
        return {}

    def total_error(self, cells: WeightedCells) -> TotalError:
        """Return no evidence of any cell."""
        return TotalError(0.0, np.zeros(cells.rows.size, dtype=bool))
