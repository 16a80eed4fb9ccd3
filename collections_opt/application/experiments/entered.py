"""Who entered an experiment, and what became of them: people at the first ranking that would have had them worked, in either arm.

Where two plans share the work it is everybody at the first ranking of either, worked or not: the plans work different people. All
that is known of a person comes from that one ranking, whichever plan works him, so that nothing of it follows from the arm: of a
day's rankings one with prices, which say in which queue, and of these that of the plan as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.arrays import Array
from collections_opt.core.experiments.arms import Arm, person_keys
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.limits import MAX_DAYS_PAST_DUE
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.outcomes.terms import EVERY_OTHER, Outcome, OutcomeTerms, ProductTerms
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ordering import Ordering, surplus_minor
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.core.value.basis import value_accounts
from collections_opt.core.value.payoffs import payoffs
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord


@dataclass(frozen=True)
class Entrants:
    """People who entered at one ranking, p of them with r accounts.

    Attributes:
        person: bytes (p,) as ``person_keys``, sorted.
        of: int64 (r,) person of each account.
        rows: int64 (r,) rows of their accounts in the ranking; all of a person's that would have been worked.
        first: int64 (p,) row of the account that is worth most.
        arm: uint8 (p,) an ``Arm``: CONTACT for the arm that is compared, which of two plans is the challenger's.
    """

    person: NDArray[np.bytes_]
    of: NDArray[np.int64]
    rows: NDArray[np.int64]
    first: NDArray[np.int64]
    arm: NDArray[np.uint8]


@dataclass
class PersonRows:
    """People as they add up over rankings; columns of one length, by name."""

    columns: dict[str, list[Array]] = field(default_factory=dict)

    def add(self, **columns: Array) -> None:
        """Add people."""
        for name, column in columns.items():
            self.columns.setdefault(name, []).append(column)

    def column(self, name: str, dtype: type[np.generic]) -> Array:
        """Return a column of all people."""
        parts = self.columns.get(name, [])
        return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype=dtype)


def rankings_of(ledger: Ledger, experiment_id: str) -> list[RankingRecord]:
    """Return the rankings made for work that an experiment was part of, oldest day first, and of a day as they were made.

    Of two plans that share the work, those with prices come first on each day, and of these those of the plan as it is.
    """
    found = [record for record in ledger.rankings.newest_first() if _is_part(record, experiment_id)]
    return sorted(found, key=lambda record: _place_of(record, experiment_id))


def _place_of(record: RankingRecord, experiment_id: str) -> tuple[date, bool, bool, int]:
    facts = RankingFacts.from_record(record.record)
    inputs = facts.inputs
    design = next(each.design for each in inputs.experiments if each.experiment_id == experiment_id)
    if design.arm is not ArmKind.TWO_PLANS:
        return inputs.as_of_date, False, False, record.seq
    unpriced = facts.answer.ordering is not Ordering.EXPECTED_VALUE
    return inputs.as_of_date, unpriced, inputs.plan_id == design.challenger_plan_id, record.seq


def number_of(opened: OpenedRanking, experiment_id: str) -> int:
    """Return which of a ranking's experiments one is, 1 first."""
    names = [each.experiment_id for each in opened.facts.inputs.experiments]
    return names.index(experiment_id) + 1


def entrants(opened: OpenedRanking, number: int, known: NDArray[np.bytes_]) -> Entrants:
    """Return the people who enter at a ranking: those it would have had worked, whatever their arm, and who had not entered; all
    of them where two plans share the work.

    Args:
        opened: the ranking.
        number: which of its experiments, 1 first.
        known: bytes, sorted: who entered before.
    """
    entries = opened.entries
    if entries.experiment is None or entries.intended_queue is None:
        raise ValueError("the ranking knows no experiment")
    keys, design = person_keys(opened.portfolio), opened.facts.inputs.experiments[number - 1].design
    two_plans, meant = design.arm is ArmKind.TWO_PLANS, entries.intended_queue != UNASSIGNED
    rows = np.flatnonzero((entries.experiment == number) & (meant | two_plans))
    rows = rows[~np.isin(keys[rows], known)]
    rows = rows[np.lexsort((-entries.surplus_minor[rows], ~meant[rows]))]
    person, first, of = np.unique(keys[rows], return_index=True, return_inverse=True)
    arm = np.zeros(first.size, dtype=np.uint8) if entries.arm is None else entries.arm[rows[first]]
    if two_plans:
        challenger = (arm == Arm.CONTACT) == (opened.facts.inputs.plan_id == design.challenger_plan_id)
        arm = np.where(challenger, int(Arm.CONTACT), int(Arm.OTHER_PLAN)).astype(np.uint8)
    return Entrants(person, of.astype(np.int64), rows, rows[first], arm)


def add_entrants(people: PersonRows, opened: OpenedRanking, who: Entrants, outcomes: MaturedOutcomes) -> None:
    """Add what was predicted of people and what became of them, summed over their accounts.

    Value is what the ranking's value model says of the outcome; of an account that left sight it is what was predicted without
    contact, in both arms alike. Cash that nobody tells of stays -1 until all rankings are read.
    """
    entries, rows, count = opened.entries, who.rows, who.person.size
    part = opened.portfolio.take(np.sort(rows))
    back = np.searchsorted(np.sort(rows), rows)
    worth = payoffs(part, opened.parameters, opened.learned)
    became = outcomes.outcome[rows]
    predicted = entries.recovery_without_contact_minor[rows].astype(np.float64)
    cases = [became == Outcome.CURED, became == Outcome.DEFAULTED, became == Outcome.STAYED]
    value = np.select(cases, [worth.cure[back], worth.default[back], worth.stay[back]], predicted)

    def summed(column: Array) -> Array:
        return np.bincount(who.of, weights=column.astype(np.float64), minlength=count)

    untold = summed(outcomes.cash_minor[rows] < 0) > 0
    names = np.array([*(queue.queue_id.encode() for queue in opened.plan.queues), b""])  # nobody's queue, -1, is the last
    intended = entries.intended_queue if entries.intended_queue is not None else entries.queue
    people.add(
        arm=who.arm,
        queue=names[intended[who.first]],
        prediction=summed(predicted),
        cash=np.where(untold, -1.0, summed(np.maximum(outcomes.cash_minor[rows], 0))),
        cure=(summed(became == Outcome.CURED) > 0).astype(np.float64),
        value=summed(value),
        censored=summed(became > Outcome.STAYED) > 0,
        contacted=summed(outcomes.contacts[rows]) > 0,
        surplus=summed(np.maximum(entries.surplus_minor[rows], 0)),
        increment=summed(np.maximum(entries.increment_minor[rows], 0)),
    )


@dataclass(frozen=True)
class QueueWorth:
    """What the final prices say of r accounts in each of q queues.

    Attributes:
        queue_ids: the queues.
        surplus_minor: float64 (r, q) D - lambda h; -infinity where the queue may not work the account.
        increment_minor: int64 (r, q) D; 0 there.
    """

    queue_ids: tuple[bytes, ...]
    surplus_minor: NDArray[np.float64]
    increment_minor: NDArray[np.int64]

    @property
    def worth(self) -> NDArray[np.bool_]:
        """Which queues are worth an account's minutes, bool (r, q)."""
        return np.asarray((self.surplus_minor > 0) & (self.increment_minor > 0), dtype=bool)

    def cost_of_drawing(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what drawing each account's queue is expected to cost, float64 (r,) minor units: by surplus, and by increment.

        Drawn is one of the queues that may work the account; in one that is not worth its minutes nobody is worked.
        """
        worth, rows = self.worth, np.arange(len(self.surplus_minor))
        best = np.where(worth, self.surplus_minor, -np.inf).argmax(axis=1)
        able = np.maximum(np.isfinite(self.surplus_minor).sum(axis=1), 1)
        surplus, increment = np.where(worth, self.surplus_minor, 0.0), np.where(worth, self.increment_minor, 0.0)
        return surplus[rows, best] - surplus.sum(axis=1) / able, increment[rows, best] - increment.sum(axis=1) / able


def queue_worth(opened: OpenedRanking, rows: NDArray[np.int64]) -> QueueWorth:
    """Return what a ranking's prices say of accounts in each queue, whatever was drawn.

    Args:
        opened: a ranking with prices.
        rows: int64 (r,) rows of accounts whose persons have no other.
    """
    order = np.argsort(rows, kind="stable")
    part = opened.portfolio.take(rows[order])
    valued = value_accounts(part, opened.outcomes(rows[order]), opened.basis).bound_by(opened.side_of(part).rows, None)
    surplus = surplus_minor(valued.problem, opened.prices, slice(None), opened.facts.kept.side_prices)
    back = np.argsort(order, kind="stable")
    increment = np.where(np.isfinite(surplus), valued.problem.value, 0).astype(np.int64)
    return QueueWorth(tuple(queue.queue_id.encode() for queue in opened.plan.queues), surplus[back], increment[back])


def _is_part(record: RankingRecord, experiment_id: str) -> bool:
    inputs = RankingFacts.from_record(record.record).inputs
    named = any(each.experiment_id == experiment_id for each in inputs.experiments)
    return named and inputs.made_for is RankingPurpose.WORK


def terms_of(horizon_days: int) -> OutcomeTerms:
    """Return when outcomes of an experiment count: its horizon for all products, and default by charge-off alone."""
    return OutcomeTerms({EVERY_OTHER: ProductTerms(horizon_days, MAX_DAYS_PAST_DUE)})
