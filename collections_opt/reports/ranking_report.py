"""A ranking's queues and worklists for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collections_opt.core.assignment import PRICE_SCALE
from collections_opt.core.queues import CapacityPlan
from collections_opt.core.ranking import Disposition
from collections_opt.reports.money import money, money_exact, share


def queue_table(plan: CapacityPlan, record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return header and one line per queue: fill, shadow price per minute and per agent-hour, evidence of its effect."""
    header = ["queue", "hours", "used", "fill", "a minute more", "an agent-hour more", "evidence"]
    lines = []
    for queue, used, capacity, price in zip(
        plan.queues, record["queue_seconds"], record["capacity_seconds"], record["prices"], strict=True
    ):
        minute = price * 60.0 / PRICE_SCALE
        fill = share(used / capacity) if capacity else "closed"
        line = [queue.queue_id, f"{capacity / 3600:,.1f}", f"{used / 3600:,.1f}", fill, money_exact(minute), money(minute * 60)]
        lines.append([*line, queue.effect.evidence.value])
    return header, lines


def gap_sentence(record: Mapping[str, Any]) -> str:
    """Return how good the assignment provably is."""
    objective, bound, currency = record["objective_minor"], record["bound_minor"], record["currency_code"]
    relative = (bound - objective) / bound if bound > 0 else 0.0
    return (
        f"{money_exact(objective)} {currency} expected increment; no assignment can exceed {money_exact(bound)} "
        f"(optimality gap {relative:.1e}, {record['termination']})."
    )


def count_sentence(record: Mapping[str, Any]) -> str:
    """Return how many accounts were worked and why the others were not."""
    counts = record["counts"]
    words = {
        Disposition.ASSIGNED: "assigned",
        Disposition.PRICED_OUT: "priced out",
        Disposition.COSTS_MORE_THAN_IT_EARNS: "cost more than they earn",
        Disposition.INELIGIBLE: "ineligible",
    }
    return ", ".join(f"{counts[d.name]:,} {word}" for d, word in words.items())


def worklist_table(entries: Sequence[Any], sentences: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return header and one line per account of a worklist, with the reason it is there."""
    header = ["account", "place", "increment", "minutes", "surplus", "why"]
    lines = [
        [
            e.account_id,
            str(e.priority),
            money_exact(e.increment_minor),
            f"{e.seconds / 60:.1f}",
            money_exact(e.surplus_minor),
            sentence,
        ]
        for e, sentence in zip(entries, sentences, strict=True)
    ]
    return header, lines
