"""A ranking: what was decided for every account, with everything that produced it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array, digest_columns
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.recorded import QueuesOpen, with_draws
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, Assignment, AssignmentProblem
from collections_opt.core.problem.exploration import PROPENSITY_SCALE, Exploration, propensities_nano
from collections_opt.core.ranking.ordering import InOrder, Ordering, priority_in_queue, surplus_minor
from collections_opt.core.rules.eligibility import Eligibility
from collections_opt.core.value.outcomes import OutcomeProbabilities, to_nano
from collections_opt.core.value.payoffs import Floats, Payoffs
from collections_opt.core.value.stated_money import StatedMoney
from collections_opt.core.value.valuation import blocks
from collections_opt.core.value.valued_accounts import ValuedAccounts


class Disposition(IntEnum):
    """What was decided for an account, and why in one word."""

    ASSIGNED = 1
    """In a queue's worklist."""
    INELIGIBLE = 2
    """Every queue is blocked by a rule."""
    COSTS_MORE_THAN_IT_EARNS = 3
    """The increment is zero or less in every queue that may work it."""
    PRICED_OUT = 4
    """Others earn more with the same minutes."""
    ANOTHER_ACCOUNT_WORKED = 5
    """It is worth its price, but its person is contacted about another account."""
    HELD_OUT = 6
    """Its person is left alone by an experiment's draw, whatever it would be worth."""
    OTHER_PLAN = 7
    """Its person was drawn for the other of two plans, which works it by the same rules."""


@dataclass(frozen=True)
class Entries:
    """One row per accepted account, worked or not, sorted by account id; every column int or bytes, so it hashes canonically.

    Attributes:
        account_id: bytes (n,).
        disposition: uint8 (n,), a ``Disposition``.
        queue: int16 (n,), -1 for none.
        priority: int32 (n,) place in the queue, 1 first; 0 if not worked.
        best_queue: int16 (n,) queue of the largest surplus among those allowed, -1 if none is allowed; the drawn one, where
            a queue was drawn.
        increment_minor: int64 (n,) D in ``queue``, or in ``best_queue`` if not worked; 0 if none.
        seconds: int32 (n,) handling time of the same cell.
        surplus_minor: int64 (n,) D - lambda h of the same cell, rounded.
        recovery_without_contact_minor: int64 (n,) V(0), rounded.
        explored: uint8 (n,) 1 if the account was drawn at random for its queue by the exploration reserve.
        propensity_nano: int64 (n,) probability in 1e-9 with which the policy takes the decision taken; 1e9 without a reserve.
        p_cure_nano, p_default_nano, p_stay_nano: int64 (n,) probabilities in 1e-9, summing to 1e9: what was multiplied by money.
        person: int32 (n,) number of the account's person, of whom one account is worked at most; None where every account is
            its own person, or several of one may be worked.
        attempts: uint8 (n,) attempts offered in the same cell where budgets leave fewer than the queue makes, 0 where all are;
            None where no queue's attempts may shrink.
        call_from: int16 (n,) first minute of the day, by the queue's clocks, in which the same cell may be contacted; -1 where
            the plan does not say when the queue works, or no queue describes the account. None where no queue has windows.
        call_until: int16 (n,) the minute after the last.
        experiment: uint8 (n,) which of the ranking's experiments the person is in, 1 first, 0 for none; None without experiments.
        arm: uint8 (n,) an ``Arm``; None likewise.
        intended_queue: int16 (n,) queue in which final prices would have the account worked, whatever its arm, -1 for none or
            outside experiments; None likewise. A raw order has no such prices.
    """

    account_id: NDArray[np.bytes_]
    disposition: NDArray[np.uint8]
    queue: NDArray[np.int16]
    priority: NDArray[np.int32]
    best_queue: NDArray[np.int16]
    increment_minor: NDArray[np.int64]
    seconds: NDArray[np.int32]
    surplus_minor: NDArray[np.int64]
    recovery_without_contact_minor: NDArray[np.int64]
    explored: NDArray[np.uint8]
    propensity_nano: NDArray[np.int64]
    p_cure_nano: NDArray[np.int64]
    p_default_nano: NDArray[np.int64]
    p_stay_nano: NDArray[np.int64]
    person: NDArray[np.int32] | None = None
    attempts: NDArray[np.uint8] | None = None
    call_from: NDArray[np.int16] | None = None
    call_until: NDArray[np.int16] | None = None
    experiment: NDArray[np.uint8] | None = None
    arm: NDArray[np.uint8] | None = None
    intended_queue: NDArray[np.int16] | None = None

    def columns(self) -> dict[str, Array]:
        """Return the columns by name, in canonical order; without those that are None."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: column for name, column in named.items() if column is not None}

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all columns."""
        form = "entries-2" if self.person is None else "entries-3"
        form = form if self.attempts is None else "entries-4"
        form = form if self.call_from is None else "entries-5"
        return digest_columns(self.columns(), (form if self.experiment is None else "entries-6",))

    def count(self, disposition: Disposition) -> int:
        """Return how many accounts have a disposition."""
        return int((self.disposition == disposition).sum())

    def counts(self) -> dict[str, int]:
        """Return how many accounts have each disposition, by name; those that could not arise are left out."""
        arises = {
            Disposition.ANOTHER_ACCOUNT_WORKED: self.person is not None,
            Disposition.HELD_OUT: self.experiment is not None,
            Disposition.OTHER_PLAN: self.of_other_plan.any(),
        }
        return {each.name: self.count(each) for each in Disposition if arises.get(each, True)}

    def in_arm(self, arm: Arm, rows: slice | NDArray[np.int64] = slice(None)) -> NDArray[np.bool_]:
        """Return whose person an experiment drew so, of some rows or of all, bool (k,); nobody where no experiment ran."""
        if self.arm is None:
            return np.zeros(self.queue[rows].size, dtype=bool)
        return np.asarray(self.arm[rows] == arm, dtype=bool)

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """Whose person an experiment leaves alone, bool (n,), whatever the disposition."""
        return self.in_arm(Arm.HELD_OUT)

    @property
    def of_other_plan(self) -> NDArray[np.bool_]:
        """Whose person the other of two plans works, bool (n,); nobody of them is left alone."""
        return self.in_arm(Arm.OTHER_PLAN)

    @property
    def kept_out(self) -> NDArray[np.bool_]:
        """Whom this ranking's plan may not work, left alone or worked by another plan, bool (n,)."""
        return self.held_out | self.of_other_plan

    @property
    def in_drawn_queue(self) -> NDArray[np.bool_]:
        """Whose queue an experiment drew, worked there or not, bool (n,); ``best_queue`` names it."""
        return self.in_arm(Arm.RANDOM_QUEUE)


@dataclass(frozen=True)
class Ranking:
    """Everything that was decided and everything that decided it; n accounts, q queues.

    ``effects_version`` names where the contact effects come from, ``evidence`` grades them per queue.
    ``problem`` and ``assignment`` are what was optimised: without the accounts that ``exploration`` drew before, and without
    their minutes. ``entries`` hold both. ``stated`` is the money to expect of whom it chose.
    """

    portfolio: Portfolio
    ordering: Ordering
    outcomes: OutcomeProbabilities
    eligibility: Eligibility
    worth: Payoffs
    problem: AssignmentProblem
    assignment: Assignment
    entries: Entries
    effects_version: str = ""
    evidence: tuple[EvidenceGrade, ...] = ()
    exploration: Exploration | None = None
    stated: StatedMoney | None = None

    def money_by_evidence(self) -> dict[EvidenceGrade, int]:
        """Return the expected increment of the accounts worked by the grade of their queue's effect, minor units; it sums up."""
        worked = self.entries.queue != UNASSIGNED
        money = np.zeros(self.problem.queue_count, dtype=np.int64)
        np.add.at(money, self.entries.queue[worked], self.entries.increment_minor[worked])
        return {grade: sum(int(m) for m, g in zip(money, self.evidence, strict=True) if g is grade) for grade in EvidenceGrade}

    def queue_seconds(self) -> NDArray[np.int64]:
        """Return the time used per queue, int64 (q,) seconds."""
        worked = self.entries.queue != UNASSIGNED
        used = np.zeros(self.problem.queue_count, dtype=np.int64)
        np.add.at(used, self.entries.queue[worked], self.entries.seconds[worked])
        return used


def make_entries(
    valued: ValuedAccounts, assignment: Assignment, raw: InOrder | None = None, exploration: Exploration | None = None
) -> Entries:
    """Return one entry per account.

    Args:
        valued: the accounts, with every account's increments and times, drawn ones among them, and what binds them.
        assignment: the answer.
        raw: the raw order that decided, or None: each queue is ordered by D / h, and prices say what drawn accounts would get.
        exploration: accounts drawn before the rest was assigned.
    """
    outcomes, eligibility, problem = valued.outcomes, valued.eligibility, valued.problem
    count = valued.portfolio.account_count
    queue = assignment.queue if exploration is None else np.where(exploration.drawn, exploration.queue, assignment.queue)
    otherwise = (assignment.queue if raw is None else raw.if_not_drawn).copy()
    best_queue, surplus = np.full(count, UNASSIGNED, dtype=np.int16), np.zeros(count, dtype=np.int64)
    worth_it, paid_queue, paid = np.zeros(count, dtype=bool), np.full(count, UNASSIGNED, dtype=np.int16), np.zeros(count)
    queues = QueuesOpen.none(count)
    for rows in blocks(count):
        margin = surplus_minor(problem, assignment.prices, rows, assignment.side_prices)
        workable = problem.value[rows] > 0
        paid_queue[rows], paid[rows] = _best_paid(margin, workable)
        queues.eligible[rows], queues.paid[rows] = np.isfinite(margin).sum(axis=1), (workable & (margin > 0)).sum(axis=1)
        margin, workable = _where_drawn(valued, rows, margin, workable)
        best = margin.argmax(axis=1)
        shown = np.where(queue[rows] == UNASSIGNED, best, queue[rows])
        allowed = np.isfinite(margin).any(axis=1)
        best_queue[rows] = np.where(allowed, best, UNASSIGNED)
        picked = margin[np.arange(shown.size), shown]
        surplus[rows] = np.rint(np.where(allowed, picked, 0.0)).astype(np.int64)
        worth_it[rows] = workable.any(axis=1)
    persons, arms = problem.persons, valued.arms
    first = otherwise
    if arms is not None or exploration is not None:
        first = paid_queue if persons is None else np.where(_leads(persons, paid), paid_queue, UNASSIGNED).astype(np.int16)
    if exploration is not None and raw is None:
        otherwise = np.where(exploration.of_drawn_persons(persons), first, otherwise).astype(np.int16)
    unpriced = None if arms is None else (arms.experiment == 0) | (raw is not None)
    intended = None if unpriced is None else np.where(unpriced, UNASSIGNED, first).astype(np.int16)
    beside = np.zeros(count, dtype=bool) if persons is None else persons.any_of(queue != UNASSIGNED) & (paid > 0)
    cell = np.where(queue == UNASSIGNED, best_queue, queue)
    everyone = np.arange(count)
    increment = np.where(cell == UNASSIGNED, 0, problem.value[everyone, cell].astype(np.int64))
    seconds = np.where(cell == UNASSIGNED, 0, problem.seconds[everyone, cell].astype(np.int32)).astype(np.int32)
    density = np.divide(increment, seconds, out=np.zeros(count), where=seconds > 0)
    nano = to_nano(outcomes.probability)
    windows = None if eligibility.hours is None else eligibility.hours.windows(cell)
    return Entries(
        account_id=valued.portfolio.column("account_id"),
        disposition=_disposition(queue, eligibility.any_allowed, worth_it, beside, None if arms is None else arms.arm),
        queue=queue,
        priority=priority_in_queue(queue, density if raw is None else raw.key),
        best_queue=best_queue,
        increment_minor=np.where(increment == INELIGIBLE, 0, increment),
        seconds=seconds,
        surplus_minor=surplus,
        recovery_without_contact_minor=valued.recovery_without_contact_minor(),
        explored=np.zeros(count, np.uint8) if exploration is None else exploration.drawn.astype(np.uint8),
        propensity_nano=_propensities(valued, exploration, queue, otherwise, intended, queues),
        p_cure_nano=nano[:, 0],
        p_default_nano=nano[:, 1],
        p_stay_nano=nano[:, 2],
        person=None if persons is None else persons.of,
        attempts=_of_cell(eligibility.attempts, cell),
        call_from=None if windows is None else windows[0],
        call_until=None if windows is None else windows[1],
        experiment=None if arms is None else arms.experiment,
        arm=None if arms is None else arms.arm,
        intended_queue=intended,
    )


def _propensities(
    valued: ValuedAccounts,
    exploration: Exploration | None,
    queue: NDArray[np.int16],
    otherwise: NDArray[np.int16],
    intended: NDArray[np.int16] | None,
    queues: QueuesOpen,
) -> NDArray[np.int64]:
    """Return the chance of each account's decision in 1e-9, int64 (n,), over the draws of the reserve and of experiments."""
    chance = np.full(queue.size, PROPENSITY_SCALE, dtype=np.int64)
    if exploration is not None:
        chance = propensities_nano(valued.drawable, exploration, otherwise, queue)
    if valued.arms is None or intended is None:
        return chance
    return with_draws(chance, valued.arms, valued.problem, exploration, (queue, intended), queues)


def _where_drawn(
    valued: ValuedAccounts, rows: slice, margin: Floats, workable: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return what cells leave and which add something, float64 and bool (r, q), of drawn people in the drawn queue alone.

    What is said of an account is said of where it may go.
    """
    if valued.arms is None or not valued.arms.rows.size:
        return margin, workable
    drawn = (valued.arms.arm[rows] == Arm.RANDOM_QUEUE)[:, np.newaxis]
    closed = drawn & (valued.offered.value[rows] == INELIGIBLE)
    return np.where(closed, -np.inf, margin), workable & ~closed


def _of_cell(attempts: NDArray[np.uint8] | None, cell: NDArray[np.int16]) -> NDArray[np.uint8] | None:
    """Return the attempts offered in the queue that describes each account, 0 where none does."""
    if attempts is None:
        return None
    return np.where(cell == UNASSIGNED, 0, attempts[np.arange(cell.size), cell]).astype(np.uint8)


def _best_paid(margin: Floats, workable: NDArray[np.bool_]) -> tuple[NDArray[np.int16], Floats]:
    """Return the queue that prices choose for each account, -1 where none leaves a surplus, and what it leaves, 0 for none."""
    paid = np.where(workable, margin, -np.inf)
    best = paid.argmax(axis=1)
    left = paid[np.arange(best.size), best]
    return np.where(left > 0, best, UNASSIGNED).astype(np.int16), np.maximum(left, 0.0)


def _leads(persons: Persons, paid: Floats) -> NDArray[np.bool_]:
    """Return which account prices choose of each person: the one that leaves most, the first among equals; bool (n,)."""
    most = np.maximum.reduceat(paid[persons.order], persons.start[:-1])
    rows = np.arange(paid.size)
    first = np.minimum.reduceat(np.where(paid == most[persons.of], rows, paid.size)[persons.order], persons.start[:-1])
    return np.asarray(first[persons.of] == rows, dtype=bool)


def _disposition(
    queue: NDArray[np.int16],
    allowed: NDArray[np.bool_],
    worth_it: NDArray[np.bool_],
    beside: NDArray[np.bool_],
    arm: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    drawn = np.zeros(queue.size, dtype=np.uint8) if arm is None else arm
    # What this plan's rules say of another plan's people is not the last word about them.
    conditions = [queue != UNASSIGNED, drawn == Arm.OTHER_PLAN, ~allowed, drawn == Arm.HELD_OUT, ~worth_it, beside]
    choices = [
        Disposition.ASSIGNED,
        Disposition.OTHER_PLAN,
        Disposition.INELIGIBLE,
        Disposition.HELD_OUT,
        Disposition.COSTS_MORE_THAN_IT_EARNS,
        Disposition.ANOTHER_ACCOUNT_WORKED,
    ]
    return np.select(conditions, [int(c) for c in choices], int(Disposition.PRICED_OUT)).astype(np.uint8)
