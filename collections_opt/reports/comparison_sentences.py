"""What a comparison of orders says, in sentences whose every figure comes from the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from collections_opt.core.codes.currencies import currency
from collections_opt.core.comparison import OrderingOutcome
from collections_opt.core.ordering import Ordering
from collections_opt.reports.money import money, share

TITLES: Mapping[Ordering, str] = MappingProxyType(
    {
        Ordering.EXPECTED_VALUE: "expected value",
        Ordering.P_CURE: "p_cure",
        Ordering.P_DEFAULT: "p_default",
        Ordering.P_DEFAULT_BALANCE: "p_default x balance",
        Ordering.PD_LGD_EAD: "PD x LGD x EAD",
        Ordering.BALANCE: "balance",
        Ordering.DAYS_PAST_DUE: "days past due",
        Ordering.BALANCE_BUCKET: "balance x bucket (policy)",
        Ordering.RANDOM: "random",
    }
)
"""Names of the orders for people."""

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


def realised_sentence(outcomes: Sequence[OrderingOutcome], currency_code: str) -> str:
    """Return how the first order compares with the strongest other order on the cash that really came; "" if not known."""
    known = [(o, o.cash.value, o.cash_difference) for o in outcomes[1:] if o.cash is not None and o.cash_difference is not None]
    first = outcomes[0].cash
    if not known or first is None:
        return ""
    rival, cash, difference = max(known, key=lambda entry: entry[1])
    alone = "Balance alone is a strong order on this data" if rival.ordering is Ordering.BALANCE else "Strongest of the others"
    ahead, low, high = first.value - cash, -difference.high, -difference.low
    unit = currency(currency_code)
    leader = outcomes[0] if ahead > 0 else rival
    verdict = "neither is shown to be ahead" if low <= 0 <= high else f"{TITLES[leader.ordering]} is ahead on this measure"
    return (
        f"{alone}: accounts worked by {TITLES[rival.ordering]} paid {money(cash, currency_code)} in the following period, those "
        f"worked by {TITLES[outcomes[0].ordering]} {unit.whole(first.value)}, a difference of {unit.whole(ahead)} "
        f"[95 % interval {unit.whole(low)} to {unit.whole(high)}]: {verdict}."
    )
