"""Roll rates of consecutive imported portfolios, and the stay values that a ranking may rest on instead of assumed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.comparison import Interval
from collections_opt.core.eligibility import bucket_of
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.losses import by_product
from collections_opt.core.payoffs import BUCKET_COUNT, ValueParameters
from collections_opt.core.portfolio import Portfolio
from collections_opt.core.roll_rates import (
    RollRates,
    Transitions,
    count_rates,
    join_transitions,
    outcome_after,
    stay_value_intervals,
)
from collections_opt.datasets.files.training_files import Labels

Mask = NDArray[np.bool_]
MONTH_DAYS = (26, 35)
"""Days between two portfolios that count as a month apart."""

ALL = "all"
"""Names the accounts of all products together."""


@dataclass(frozen=True)
class ProductRates:
    """Roll rates of one product's accounts, or of all, with the value of staying by bucket; None where it is too few."""

    rates: RollRates
    stay_values: tuple[Interval | None, ...]


@dataclass(frozen=True)
class RollRateStudy:
    """The answer.

    Attributes:
        products: by product, ``ALL`` first.
        parameters: the base with stay values measured on all accounts; buckets with fewer than 30 account-months keep the base's.
        kept_buckets: those buckets.
        account_months: late accounts that were late the month before too, which is what v_S is about.
        fresh: late accounts left out because they were not, or nobody knows.
        left_unsaid: accounts that left the book without an outcome, taken as cured, or as defaulted past their charge-off day.
    """

    products: Mapping[str, ProductRates]
    parameters: ValueParameters
    kept_buckets: tuple[int, ...]
    account_months: int
    fresh: int
    left_unsaid: int


@dataclass(frozen=True)
class _Month:
    transitions: Transitions
    fresh: int
    left_unsaid: int


def study_roll_rates(
    portfolios: Sequence[Portfolio], known: Sequence[Labels | None], base: ValueParameters, version: str, seed: int
) -> RollRateStudy:
    """Return roll rates by product and the value parameters they give.

    Args:
        portfolios: a month apart, in order.
        known: outcomes of every portfolio but the last, None where nobody wrote them down.
        base: what is not measured: discount rate, LGD, redefault probability and the rest.
        version: name of the new parameters.
        seed: of the bootstrap.

    Raises:
        CollectionsError: INVALID_ARGUMENT for fewer than two portfolios, months that are not consecutive, or too few accounts.
    """
    if len(portfolios) < 2:
        raise refuse(Reason.INVALID_ARGUMENT, "portfolio", "there is one.", "Name two or more, a month apart, in order.")
    for earlier, later in pairwise(portfolios):
        days = (later.as_of_date - earlier.as_of_date).days
        if not MONTH_DAYS[0] <= days <= MONTH_DAYS[1]:
            told = f"{earlier.as_of_date} and {later.as_of_date} are {days} days apart; roll rates are monthly."
            raise refuse(Reason.INVALID_ARGUMENT, "portfolio", told, "Name consecutive months, in order.")
    before: list[Portfolio | None] = [None, *portfolios[:-2]]
    months = [_month(*parts) for parts in zip(before, portfolios[:-1], portfolios[1:], known, strict=True)]
    everything = join_transitions([month.transitions for month in months])
    if everything.bucket.size < MIN_CELL_COUNT:
        told = f"{everything.bucket.size} accounts were late in two months running; {MIN_CELL_COUNT} are needed."
        raise refuse(Reason.INVALID_ARGUMENT, "portfolio", told, "Name more months, or portfolios with status_history.")
    found = {ALL: _measured(everything, base, base.loss_given_default[""], seed)}
    for code in np.unique(everything.product):
        loss = float(by_product(np.array([code]), base.loss_given_default)[0])
        found[code.decode()] = _measured(everything.take(everything.product == code), base, loss, seed)
    measured = found[ALL].stay_values
    values = tuple(one.value if one else kept for one, kept in zip(measured, base.stay_value, strict=True))
    return RollRateStudy(
        found,
        replace(base, version=version, stay_value=values),
        tuple(bucket for bucket in range(BUCKET_COUNT) if measured[bucket] is None),
        int(everything.bucket.size),
        sum(month.fresh for month in months),
        sum(month.left_unsaid for month in months),
    )


def _measured(transitions: Transitions, base: ValueParameters, loss: float, seed: int) -> ProductRates:
    rates = count_rates(transitions)
    values = stay_value_intervals(transitions, base, loss, seed)
    enough = rates.account_count >= MIN_CELL_COUNT
    return ProductRates(rates, tuple(value if enough[bucket] else None for bucket, value in enumerate(values)))


def _month(before: Portfolio | None, now: Portfolio, later: Portfolio, labels: Labels | None) -> _Month:
    ids, late = now.column("account_id"), now.column("days_past_due") > 0
    stayed = late & _late_before(before, now)
    place, there = _found(ids, later.column("account_id"))
    days_after = np.where(there, later.column("days_past_due")[place], 0) if later.account_count else np.zeros(ids.size, np.int64)
    days = (later.as_of_date - now.as_of_date).days
    charged_off = now.is_present("days_to_charge_off") & (now.column("days_to_charge_off") <= days)
    known = np.full(ids.size, -1, dtype=np.int64)
    if labels is not None:
        order = np.argsort(labels.account_id, kind="stable")
        spot, said = _found(ids, labels.account_id[order])
        known[said] = labels.outcome[order][spot[said]]
    outcome = outcome_after(known, ~there, there & (days_after == 0), charged_off)
    bucket = bucket_of(now.column("days_past_due"))
    after = np.where(there & (days_after > 0), bucket_of(days_after), bucket)
    everyone = Transitions(ids, now.column("product"), bucket, outcome, after)
    return _Month(everyone.take(stayed), int((late & ~stayed).sum()), int((stayed & ~there & (known < 0)).sum()))


def _late_before(before: Portfolio | None, now: Portfolio) -> Mask:
    """Return which accounts were late a month ago: by their history where it says so, else by the month before."""
    seen = np.zeros(now.account_count, dtype=bool)
    if before is not None and before.account_count:
        place, there = _found(now.column("account_id"), before.column("account_id"))
        seen = there & (before.column("days_past_due")[place] > 0)
    history, present = now.column("status_history"), now.is_present("status_history")
    if history.shape[1] < 2:
        return seen
    return np.where(present[:, 1], history[:, 1] > 0, seen)


def _found(ids: NDArray[np.bytes_], among: NDArray[np.bytes_]) -> tuple[NDArray[np.int64], Mask]:
    """Return where each id is among sorted ids, and whether it is."""
    if not among.size:
        return np.zeros(ids.size, dtype=np.int64), np.zeros(ids.size, dtype=bool)
    place = np.minimum(np.searchsorted(among, ids), among.size - 1).astype(np.int64)
    return place, np.asarray(among[place] == ids)
