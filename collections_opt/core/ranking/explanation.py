"""Why an account is worked here, why not there, why not at all, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.codes.currencies import Currency, currency
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.core.problem.person_prices import IMPOSSIBLE
from collections_opt.core.ranking.counterfactuals import counterfactuals
from collections_opt.core.ranking.ordering import surplus_minor
from collections_opt.core.ranking.placement import margins
from collections_opt.core.ranking.ranking import Disposition, Entries, Ranking
from collections_opt.core.rules.eligibility import lifts_on
from collections_opt.core.value.effects import ContactEffects, at_attempts
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.value.valuation import Increment, increment


class WhyNot(StrEnum):
    """Why an account is not in a queue."""

    WORKED_HERE = "WORKED_HERE"
    BLOCKED = "BLOCKED"
    """A rule forbids it."""
    COSTS_MORE_THAN_IT_EARNS = "COSTS_MORE_THAN_IT_EARNS"
    """D <= 0."""
    BETTER_ELSEWHERE = "BETTER_ELSEWHERE"
    """Another queue leaves more after its price."""
    PRICED_OUT = "PRICED_OUT"
    """The queue's minutes earn more with other accounts."""
    TIE_OR_ROUNDING = "TIE_OR_ROUNDING"
    """Worth its price, but within the optimality gap the minutes went to accounts of equal worth."""
    ANOTHER_ACCOUNT_WORKED = "ANOTHER_ACCOUNT_WORKED"
    """Worth its price, but its person is contacted about another account."""
    DRAWN_ELSEWHERE = "DRAWN_ELSEWHERE"
    """An experiment drew another queue for its person."""


@dataclass(frozen=True)
class QueueExplanation:
    """One account in one queue; money in minor units.

    Attributes:
        queue_id: the queue.
        verdict: why here or why not.
        rule_id: blocking rule, "" if none.
        rule_description: its sentence.
        next_eligible_date: when the block may lift by itself.
        increment_minor: D; 0 if blocked.
        minutes: handling minutes.
        price_per_minute_minor: shadow price of the queue.
        surplus_minor: D - lambda h, less what side constraints charge.
        needed_increment_minor: how much more D would make the queue worth its price; 0 if it is.
        break_even_price_per_minute_minor: the highest queue price at which the account would be worth working: D / h.
        least_increment_minor: smallest D with which the prices put the account here; 0 if blocked.
        highest_price_per_minute_minor: highest price of the queue at which they do; None if they would not even at 0.
        minutes_ahead: handling minutes of unworked accounts nearest to this queue that earn more per minute.
        detail: how D comes about.
        attempts: attempts of the queue.
        offered_attempts: attempts offered where a budget leaves fewer; 0 where all are.
        limiting_rule_id: the budget that leaves no more; "" where all are offered.
        call_window: minutes of the day in which it may be contacted, by the queue's clocks; None where that is not known.
    """

    queue_id: str
    verdict: WhyNot
    rule_id: str
    rule_description: str
    next_eligible_date: date | None
    increment_minor: int
    minutes: float
    price_per_minute_minor: float
    surplus_minor: float
    needed_increment_minor: float
    break_even_price_per_minute_minor: float
    least_increment_minor: int
    highest_price_per_minute_minor: float | None
    minutes_ahead: float
    detail: Increment
    attempts: float = 1.0
    offered_attempts: int = 0
    limiting_rule_id: str = ""
    call_window: tuple[int, int] | None = None

    @property
    def offer(self) -> str:
        """What is offered where it is not all, in a sentence with a blank before it; "" where all attempts are."""
        if not self.offered_attempts:
            return ""
        rule = self.limiting_rule_id or "a budget"
        return f" It is offered {self.offered_attempts} of {self.attempts:g} attempts: {rule} leaves no more."


def explain(
    ranking: Ranking,
    row: int,
    plan: CapacityPlan,
    effects: ContactEffects,
    parameters: ValueParameters,
    minutes_ahead: NDArray[np.float64] | None = None,
    drawn: int | None = None,
) -> tuple[QueueExplanation, ...]:
    """Return the explanation of one account (by row) for every queue, in plan order.

    Args:
        ranking: holds the account, and the others of its person.
        row: of the account.
        plan: the ranking's.
        effects: the ranking's.
        parameters: the ranking's.
        minutes_ahead: float64 (q,) of ``minutes_ahead``; None means none.
        drawn: the queue that an experiment drew for it, None where none did.
    """
    problem, answer = ranking.problem, ranking.assignment
    changes = counterfactuals(problem, margins(problem, answer.prices, answer.side_prices), answer.prices)
    beside = worked_beside(ranking, row)
    ahead = np.zeros(len(plan.queues)) if minutes_ahead is None else minutes_ahead
    worked = int(ranking.entries.queue[row])
    prices = ranking.assignment.prices.astype(np.float64) / PRICE_SCALE
    value = ranking.problem.value[row].astype(np.float64)
    seconds = ranking.problem.seconds[row].astype(np.float64)
    surplus = surplus_minor(ranking.problem, ranking.assignment.prices, slice(row, row + 1), ranking.assignment.side_prices)[0]
    best = int(surplus.argmax())
    part = slice(row, row + 1)
    probability = ranking.outcomes.probability[part]
    result = []
    for index, queue in enumerate(plan.queues):
        reason = ranking.eligibility.reason(row, index)
        blocked = reason is not None
        offered = ranking.eligibility.offered(part, index)
        effect = at_attempts(effects.block(part, index, probability), queue.attempts, offered)
        detail = increment(probability, effect, queue, ranking.worth, part, parameters.cost_basis)
        result.append(
            QueueExplanation(
                queue_id=queue.queue_id,
                verdict=WhyNot.DRAWN_ELSEWHERE
                if drawn not in (None, index) and not blocked
                else _verdict(index, worked, best, blocked, value[index], surplus, beside is not None),
                rule_id=reason.rule_id if reason else "",
                rule_description=reason.description if reason else "",
                next_eligible_date=lifts_on(ranking.eligibility, ranking.portfolio, row, index),
                increment_minor=0 if blocked else int(value[index]),
                minutes=float(seconds[index] / 60.0),
                price_per_minute_minor=float(prices[index] * 60.0),
                surplus_minor=0.0 if blocked else float(surplus[index]),
                needed_increment_minor=0.0 if blocked else max(0.0, float(-surplus[index])),
                break_even_price_per_minute_minor=0.0 if blocked else max(0.0, float(value[index] / seconds[index] * 60.0)),
                least_increment_minor=int(changes.least_increment_minor[row, index]),
                highest_price_per_minute_minor=_per_minute(int(changes.highest_price[row, index])),
                minutes_ahead=0.0 if blocked else float(ahead[index]),
                detail=detail,
                attempts=queue.attempts,
                offered_attempts=0 if offered is None else int(offered[0]),
                call_window=ranking.eligibility.call_window(row, index),
            )
        )
    return tuple(result)


def drawn_queue(entries: Entries, row: int) -> int | None:
    """Return the queue that an experiment drew for an account's person, None where none did or none may work it."""
    if entries.arm is None or entries.arm[row] != Arm.RANDOM_QUEUE or entries.best_queue[row] == UNASSIGNED:
        return None
    return int(entries.best_queue[row] if entries.queue[row] == UNASSIGNED else entries.queue[row])


def worked_beside(ranking: Ranking, row: int) -> int | None:
    """Return the row of the account about which the person of an account is contacted instead, None if there is none."""
    persons = ranking.problem.persons
    if persons is None or ranking.entries.queue[row] != UNASSIGNED:
        return None
    worked = np.flatnonzero((persons.of == persons.of[row]) & (ranking.entries.queue != UNASSIGNED))
    return int(worked[0]) if worked.size else None


def minutes_ahead(entries: Entries, value: NDArray[np.int32], seconds: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Return what stands between an account and each queue, float64 (q,) minutes.

    That is the handling time of the accounts which are priced out, nearest to that queue, and earn more per minute than the
    account would there: they take the queue's next minutes first.

    Args:
        entries: of all accounts.
        value: int32 (q,) increments of the account.
        seconds: uint16 (q,) its handling times.
    """
    waiting = np.flatnonzero(entries.disposition == Disposition.PRICED_OUT)
    density = entries.increment_minor[waiting] / entries.seconds[waiting]
    first = density > (value / np.maximum(seconds, 1))[entries.best_queue[waiting]]
    return np.bincount(entries.best_queue[waiting], entries.seconds[waiting] * first, minlength=value.size) / 60.0


def _per_minute(price: int) -> float | None:
    return None if price == IMPOSSIBLE else price * 60.0 / PRICE_SCALE


def _verdict(index: int, worked: int, best: int, blocked: bool, value: float, surplus: np.ndarray, beside: bool) -> WhyNot:
    if index == worked:
        return WhyNot.WORKED_HERE
    if blocked:
        return WhyNot.BLOCKED
    if value <= 0:
        return WhyNot.COSTS_MORE_THAN_IT_EARNS
    if surplus[index] < 0:
        return WhyNot.PRICED_OUT
    if beside:
        return WhyNot.ANOTHER_ACCOUNT_WORKED
    target = best if worked == UNASSIGNED else worked
    return WhyNot.BETTER_ELSEWHERE if surplus[target] > surplus[index] else WhyNot.TIE_OR_ROUNDING


LEFT_ALONE = (
    "Not worked: its person was drawn to be left alone by an experiment, to learn what contact is worth. "
    "Whom to draw is decided by the person's id and the experiment's salt, not by anything known about the person."
)
"""What people are told of an account whose person is held out."""

DRAWN = (
    "An experiment drew its queue at random among those that may work it, to learn what the choice of a queue is worth; "
    "the person's id and the experiment's salt decide, not anything known about the person."
)
"""What people are told of an account whose queue was drawn."""

OTHER_PLAN = (
    "Not worked by this plan, and not left alone: an experiment shares the work between two plans, and drew its person for "
    "{plan}, which decides whether to work it, under the same rules. The person's id and the experiment's salt decide, not "
    "anything known about the person."
)
"""What people are told of an account whose person another plan works."""


def of_other_plan(plan_id: str) -> str:
    """Return what people are told of an account whose person the plan of an id works."""
    return OTHER_PLAN.format(plan=f"plan {plan_id}" if plan_id else "the other plan")


_SAID = {
    Disposition.HELD_OUT: LEFT_ALONE,
    Disposition.COSTS_MORE_THAN_IT_EARNS: (
        "Not worked: contact is expected to cost more than it adds in every queue that may work it."
    ),
}


def summary_sentence(
    disposition: Disposition,
    explanations: tuple[QueueExplanation, ...],
    currency_code: str,
    explored: bool = False,
    worked_beside: str = "",
) -> str:
    """Return one plain sentence that answers "why was this account (not) worked?".

    ``worked_beside`` names the account about which the person is contacted instead. ``explored`` is whether it, or the account
    itself, was drawn at random. Whom another plan works, ``of_other_plan`` tells.
    """
    unit = currency(currency_code)
    drawn = any(e.verdict is WhyNot.DRAWN_ELSEWHERE for e in explanations)
    open_queues = [e for e in explanations if e.verdict not in (WhyNot.BLOCKED, WhyNot.DRAWN_ELSEWHERE)]
    if disposition is Disposition.INELIGIBLE or not open_queues:
        rules = sorted({f"{e.rule_id}: {e.rule_description}" for e in explanations if e.rule_id})
        return f"Not worked: no queue may work it. {' '.join(rules)}"
    if drawn:
        return f"{_where_drawn(open_queues[0], disposition, unit)} {DRAWN}"
    if disposition is Disposition.ASSIGNED:
        return _worked(next(e for e in explanations if e.verdict is WhyNot.WORKED_HERE), unit, explored)
    if disposition in _SAID:
        return _SAID[disposition]
    nearest = min(open_queues, key=lambda e: e.least_increment_minor - e.increment_minor)
    more = max(nearest.least_increment_minor - nearest.increment_minor, 0)
    if disposition is Disposition.ANOTHER_ACCOUNT_WORKED:
        told = f"Not worked: a person is contacted about one account at most, and this one's is contacted about {worked_beside}."
        return (
            told
            if explored
            else f"{told} In {nearest.queue_id} it would need {unit.exact(more)} {unit.code} more to be preferred."
        )
    price = nearest.highest_price_per_minute_minor
    at_most = "" if price is None else f", or a price of at most {unit.exact(price)} a minute"
    return (
        f"Not worked: its minutes earn more with other accounts. Nearest is {nearest.queue_id}: it would need {unit.exact(more)} "
        f"{unit.code} more value{at_most} (now {unit.exact(nearest.price_per_minute_minor)}).{_waiting(nearest)}"
        f"{f' Its person is contacted about {worked_beside}.' if worked_beside else ''}"
    )


def _worked(here: QueueExplanation, unit: Currency, explored: bool) -> str:
    if explored:
        return (
            f"Worked in {here.queue_id}: drawn at random by the exploration reserve; contact is expected to add "
            f"{unit.exact(here.increment_minor)} {unit.code} for {here.minutes:.1f} minutes.{here.offer}"
        )
    return (
        f"Worked in {here.queue_id}: contact is expected to add {unit.exact(here.increment_minor)} {unit.code} for "
        f"{here.minutes:.1f} minutes, {unit.exact(here.surplus_minor)} more than those minutes are worth elsewhere."
        f"{here.offer}{_staying(here, unit)}"
    )


def _where_drawn(there: QueueExplanation, disposition: Disposition, unit: Currency) -> str:
    """Return what became of an account in the queue that was drawn for it."""
    adds = f"contact is expected to add {unit.exact(there.increment_minor)} {unit.code} for {there.minutes:.1f} minutes"
    if disposition is Disposition.ASSIGNED:
        return f"Worked in {there.queue_id}: {adds}.{there.offer}"
    if disposition is Disposition.COSTS_MORE_THAN_IT_EARNS:
        return f"Not worked: in {there.queue_id} contact is expected to cost more than it adds."
    return f"Not worked: in {there.queue_id} {adds}, which earn more with other accounts."


def _staying(here: QueueExplanation, unit: Currency) -> str:
    if here.highest_price_per_minute_minor is None or here.increment_minor < here.least_increment_minor:
        return " At these prices it is tied with another choice."
    return (
        f" The prices keep it there down to {unit.exact(here.least_increment_minor)} {unit.code} of increment, or up to "
        f"{unit.exact(here.highest_price_per_minute_minor)} a minute (now {unit.exact(here.price_per_minute_minor)})."
    )


def _waiting(nearest: QueueExplanation) -> str:
    if nearest.minutes_ahead <= 0:
        return ""
    return f" {nearest.minutes_ahead:,.0f} minutes of other accounts would take its next minutes first."
