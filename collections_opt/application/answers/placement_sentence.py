"""Where an account would go, in one plain sentence."""

from __future__ import annotations

from collections_opt.application.answers.placement import PlacedAccounts
from collections_opt.core.codes.currencies import currency
from collections_opt.core.desk.day_windows import shown_minutes
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.core.problem.person_choice import NEVER
from collections_opt.core.ranking.explanation import DRAWN, LEFT_ALONE, of_other_plan
from collections_opt.core.ranking.ranking import Disposition


def placement_sentence(placed: PlacedAccounts, row: int) -> str:
    """Return the answer for one account of a call, by its row."""
    disposition = Disposition(int(placed.placements.disposition[row]))
    if disposition is Disposition.OTHER_PLAN:
        return of_other_plan(placed.opened.facts.inputs.running.other_plan_id)
    closed = (placed.placements.margin[row] == NEVER) & (placed.valued.eligibility.blocked_by[row] == 0)
    drawn = closed.any() and disposition not in (Disposition.HELD_OUT, Disposition.INELIGIBLE)
    told = _sentence(placed, row, disposition)
    return f"{told} {DRAWN}" if drawn else told


def _sentence(placed: PlacedAccounts, row: int, disposition: Disposition) -> str:
    cell = int(placed.placements.cell[row])
    if disposition is Disposition.INELIGIBLE or cell == UNASSIGNED:
        return f"Not worked: no queue may work it. {_rules(placed, row)}".rstrip()
    queue, unit = placed.opened.plan.queues[cell], currency(placed.valued.portfolio.currency_code)
    value, seconds = int(placed.valued.problem.value[row, cell]), int(placed.valued.problem.seconds[row, cell])
    other = placed.worked_account_id[row].decode()
    surplus = float(placed.placements.margin[row, cell]) / PRICE_SCALE
    if disposition is Disposition.ASSIGNED:
        stands = "The recorded decision stands: worked" if placed.unchanged[row] else "Worth working"
        left = placed.offered_attempts(row, cell)
        offer = f" It is offered {left} of {queue.attempts:g} attempts: a budget leaves no more." if left else ""
        window = placed.valued.eligibility.call_window(row, cell)
        offer += f" Contact it between {shown_minutes(*window).replace(' to ', ' and ')} by the desk's clocks." if window else ""
        full = "" if placed.has_room[row] else " The queue's minutes are taken: the last of its worklist would make room."
        instead = f" It takes the place of {other}, another account of its person." if other else ""
        return (
            f"{stands} in {queue.queue_id}, place {int(placed.position[row]):,}: contact is expected to add "
            f"{unit.exact(value)} {unit.code} for {seconds / 60:.1f} minutes, {unit.exact(surplus)} more than those minutes are "
            f"worth elsewhere.{offer}{instead}{full}"
        )
    if disposition in (Disposition.HELD_OUT, Disposition.ANOTHER_ACCOUNT_WORKED):
        needed_more = f"{unit.exact(int(placed.needed_increment_minor[row]))} {unit.code}"
        return LEFT_ALONE if disposition is Disposition.HELD_OUT else _beside(other, needed_more, queue.queue_id)
    if placed.unchanged[row] and placed.needed_increment_minor[row] <= 0:
        return "The recorded decision stands: not worked; it is worth its price, but the minutes went to accounts of equal worth."
    if disposition is Disposition.COSTS_MORE_THAN_IT_EARNS:
        return "Not worked: contact is expected to cost more than it adds in every queue that may work it."
    needed = int(placed.needed_increment_minor[row])
    return (
        f"Not worked: its minutes earn more with other accounts. It would need {unit.exact(needed)} {unit.code} more value; "
        f"{queue.queue_id} is nearest."
    )


def _beside(other: str, needed: str, queue_id: str) -> str:
    if not other:
        return "The recorded decision stands: not worked; its person is contacted about another account."
    return (
        f"Not worked: a person is contacted about one account at most, and this one's is contacted about {other}. "
        f"In {queue_id} it would need {needed} more to be preferred."
    )


def _rules(placed: PlacedAccounts, row: int) -> str:
    """Return the rules that forbid the account in some queue, by id, each once with its sentence, as explanations say them."""
    eligibility = placed.valued.eligibility
    reasons = (eligibility.reason(row, queue) for queue in range(eligibility.blocked_by.shape[1]))
    return " ".join(sorted({f"{found.rule_id}: {found.description}" for found in reasons if found}))
