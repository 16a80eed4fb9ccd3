"""What a comparison of orders says, in sentences whose every figure comes from the comparison."""

from __future__ import annotations

from collections.abc import Sequence

from collections_opt.core.codes.currencies import currency
from collections_opt.core.evaluation.comparison import OrderingOutcome
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.reports.money import money, share
from collections_opt.reports.order_names import TITLES

CAUSALITY_NOTE = (
    "Realised figures are what the accounts did, not what contact caused: they do not know who was contacted. "
    "An order that picks large balances or accounts about to cure by themselves collects much cash here without adding any. "
    "Only the expected increment is what the product maximises, and it rests on the evidence grade stated with it."
)
"""Said wherever realised figures are shown."""


def headline(outcomes: Sequence[OrderingOutcome], currency_code: str) -> str:
    """Return the main finding: what the first order is expected to add, and how much more than the best of the others."""
    unit = currency(currency_code)
    first, others = outcomes[0], outcomes[1:]
    opening = (
        f"Working {first.worked_count:,} accounts by {TITLES[first.ordering]} is expected to add "
        f"{money(first.incremental_minor, currency_code)}"
    )
    if not others:
        return f"{opening}."
    best = max(others, key=lambda outcome: outcome.incremental_minor)
    more = first.incremental_minor - best.incremental_minor
    if more <= 0 or best.incremental_minor <= 0:
        return f"{opening}; {TITLES[best.ordering]}, the best other order, {unit.whole(best.incremental_minor)}."
    return (
        f"{opening}: {money(more, currency_code)} ({share(more / best.incremental_minor)}) more than "
        f"{TITLES[best.ordering]}, the best other order, from the same minutes."
    )


def finding(outcomes: Sequence[OrderingOutcome], currency_code: str, day: str) -> str:
    """Return the main finding in a title: one or two lines of it, with currency and day; the headline says the rest."""
    first, others = outcomes[0], outcomes[1:]
    opening = (
        f"{day}: {money(first.incremental_minor, currency_code)} expected increment by {TITLES[first.ordering]}".removeprefix(
            ": "
        )
    )
    if not others:
        return opening
    best = max(others, key=lambda outcome: outcome.incremental_minor)
    more = first.incremental_minor - best.incremental_minor
    return f"{opening}, {money(abs(more), currency_code)} {'more' if more >= 0 else 'less'} than by {TITLES[best.ordering]}"


def realised_sentence(outcomes: Sequence[OrderingOutcome], currency_code: str) -> str:
    """Return how the first order compares on the cash that really came; "" if not known.

    With the strongest other order, and always with balance: it needs no model, so it is what a model has to beat.
    """
    known = [outcome for outcome in outcomes[1:] if outcome.cash is not None and outcome.cash_difference is not None]
    if not known or outcomes[0].cash is None:
        return ""
    rival = max(known, key=lambda outcome: outcome.cash.value if outcome.cash else 0.0)
    if rival.ordering is Ordering.BALANCE:
        return f"Balance alone is a strong order on this data: {_beside(outcomes[0], rival, currency_code)}"
    told = f"Strongest of the others: {_beside(outcomes[0], rival, currency_code)}"
    balance = [outcome for outcome in known if outcome.ordering is Ordering.BALANCE]
    return " ".join([told, *(f"Balance alone: {_beside(outcomes[0], one, currency_code)}" for one in balance)])


def _beside(first: OrderingOutcome, rival: OrderingOutcome, currency_code: str) -> str:
    assert first.cash is not None
    assert rival.cash is not None
    assert rival.cash_difference is not None
    unit = currency(currency_code)
    ahead, low, high = first.cash.value - rival.cash.value, -rival.cash_difference.high, -rival.cash_difference.low
    leader = first if ahead > 0 else rival
    verdict = "neither is shown to be ahead" if low <= 0 <= high else f"{TITLES[leader.ordering]} is ahead on this measure"
    return (
        f"accounts worked by {TITLES[rival.ordering]} paid {money(rival.cash.value, currency_code)} in the following period, "
        f"those worked by {TITLES[first.ordering]} {unit.whole(first.cash.value)}, a difference of {unit.whole(ahead)} "
        f"[95 % interval {unit.whole(low)} to {unit.whole(high)}]: {verdict}."
    )
