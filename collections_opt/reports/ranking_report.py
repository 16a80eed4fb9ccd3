"""A ranking's queues and worklists for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collections_opt.core.codes.currencies import currency
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.ranking.ranking_summary import RankingSummary
from collections_opt.reports.money import gap, share

DISPOSITION_WORDS = {
    Disposition.ASSIGNED: "assigned",
    Disposition.PRICED_OUT: "priced out",
    Disposition.COSTS_MORE_THAN_IT_EARNS: "cost more than they earn",
    Disposition.INELIGIBLE: "ineligible",
    Disposition.ANOTHER_ACCOUNT_WORKED: "left for another account of their person",
    Disposition.HELD_OUT: "left alone by an experiment",
    Disposition.OTHER_PLAN: "drawn for another plan, which works them",
}

_ALWAYS_TOLD = tuple(DISPOSITION_WORDS)[:4]


@dataclass(frozen=True)
class WorklistLine:
    """One account of a worklist with the strongest reason of its score; money in minor units."""

    account_id: str
    priority: int
    increment_minor: int
    handling_minutes: float
    surplus_minor: int
    reason: str


def queue_table(summary: RankingSummary, plan: CapacityPlan) -> tuple[list[str], list[list[str]]]:
    """Return header and one line per queue: fill, shadow price per minute and per agent-hour, evidence of its effect."""
    header = ["queue", "hours", "used", "fill", "a minute more", "an agent-hour more", "plan's evidence"]
    unit = currency(summary.currency_code)
    lines = []
    for figures, queue in zip(summary.queues, plan.queues, strict=True):
        fill = share(figures.fill) if figures.capacity_minutes else "closed"
        price = figures.price_per_minute_minor
        hours = [f"{figures.capacity_minutes / 60:,.1f}", f"{figures.used_minutes / 60:,.1f}"]
        lines.append([figures.queue_id, *hours, fill, unit.exact(price), unit.whole(price * 60), queue.effect.evidence.value])
    return header, lines


def gap_sentence(summary: RankingSummary) -> str:
    """Return how good the assignment provably is."""
    unit = currency(summary.currency_code)
    return (
        f"{unit.exact(summary.objective_minor)} {summary.currency_code} expected increment; no assignment can exceed "
        f"{unit.exact(summary.bound_minor)} (optimality gap {gap(summary.gap)}, {summary.termination})."
    )


def evidence_sentence(summary: RankingSummary) -> str:
    """Return what the money rests on: the evidence grades of the contact effects; "" where there is no money."""
    grades = ", ".join(f"{grade.value} ({share(held)})" for grade, held in summary.money_by_grade)
    if not grades:
        return ""
    losses = f" Accounts without a loss given default of their own take that of {summary.recovery_version}."
    told = f"The money rests on contact effects of grade {grades}, from {summary.effects_version}."
    return told + (losses if summary.recovery_version else "")


def count_sentence(summary: RankingSummary) -> str:
    """Return how many accounts were worked and why the others were not."""
    counts = [(summary.counts.get(d, 0), d, word) for d, word in DISPOSITION_WORDS.items()]
    return ", ".join(f"{count:,} {word}" for count, d, word in counts if count or d in _ALWAYS_TOLD)


def persons_sentence(summary: RankingSummary) -> str:
    """Return how persons with several accounts are treated; "" where each has one."""
    if not summary.one_contact_per_person:
        return "A person may be contacted about several accounts: the plan allows it, or the version did not know persons."
    if summary.person_count >= summary.account_count:
        return ""
    return f"{summary.person_count:,} persons, each contacted about one account at most."


def worklist_table(lines: Sequence[WorklistLine], currency_code: str) -> tuple[list[str], list[list[str]]]:
    """Return header and one line per account of a worklist, with the reason it is there."""
    unit = currency(currency_code)
    header = ["account", "place", "increment", "minutes", "surplus", "strongest reason"]
    cells = [
        [
            line.account_id,
            str(line.priority),
            unit.exact(line.increment_minor),
            f"{line.handling_minutes:.1f}",
            unit.exact(line.surplus_minor),
            line.reason,
        ]
        for line in lines
    ]
    return header, cells
