"""Roll rates of consecutive imported portfolios, and the stay values that a ranking may rest on instead of assumed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.evaluation.roll_rates import (
    AbsorbingWorth,
    RollRates,
    Transitions,
    count_rates,
    join_transitions,
    outcome_after,
    stay_value_intervals,
)
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.core.value.order import Terms, ordered
from collections_opt.core.value.parameters import VALUED_BY_PRODUCT, ProductValues, ValueGrade, ValueSource, missing_values
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.datasets.files.training_files import Labels

Mask = NDArray[np.bool_]
MONTH_DAYS = (26, 35)
"""Days between two portfolios that count as a month apart."""

MOST_UNSAID = 0.05
"""Share of account-months that may leave without an outcome before the values rest on a guess."""

MOST_MOVED = 0.10
"""How far a stay value may be from the order before it is not noise of small buckets."""

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
        parameters: values by product: the base's, with stay values measured on the product's own accounts, on those of all
            products where it has fewer than 30 account-months in a bucket, and put in order.
        kept_buckets: buckets that keep the base's value for some product, as all products together have too few.
        account_months: late accounts that were late the month before too, which is what v_S is about.
        fresh: late accounts left out because they were not, or nobody knows.
        left_unsaid: accounts that left the book without an outcome, taken as cured, or as defaulted past their charge-off day.
        moved: the furthest that a stay value was moved to be in order.
    """

    products: Mapping[str, ProductRates]
    parameters: ValueParameters
    kept_buckets: tuple[int, ...]
    account_months: int
    fresh: int
    left_unsaid: int
    moved: float = 0.0

    @property
    def concerns(self) -> tuple[str, ...]:
        """Why the parameters should not be used; empty where nothing speaks against them."""
        found = []
        share = self.left_unsaid / max(self.account_months, 1)
        if share > MOST_UNSAID:
            found.append(
                f"{self.left_unsaid:,} account-months ({share:.1%}) left the book without an outcome, more than "
                f"{MOST_UNSAID:.0%}: whether they were cured or charged off decides the values. Give --outcomes."
            )
        if self.moved > MOST_MOVED:
            found.append(
                f"stay values had to be moved by up to {self.moved:.2f} to be worth no more than a cure and no less than a "
                f"default, more than {MOST_MOVED:.2f}: check charge-off dates, days past due and the loss given default."
            )
        return tuple(found)


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
    terms = Terms(base.discount_rate, base.horizon_days)
    codes = [code.decode() for code in np.unique(everything.product).tolist()]
    values = {code: base_values(base, code) for code in codes}
    pooled = {code: _measured(everything, base, values[code], seed) for code in codes}
    found = {ALL: next(iter(pooled.values()))}
    products, moved, kept = {}, 0.0, set()
    for code in codes:
        mine = everything.take(everything.product == code.encode())
        found[code] = _measured(mine, base, values[code], seed)
        made, kept_here = _with_stay_values(values[code], found[code], pooled[code], _source(portfolios, codes))
        products[code] = ordered(made, terms)
        kept |= kept_here
        moved = max(moved, float(np.abs(np.subtract(products[code].stay_value, made.stay_value)).max()))
    named = replace(
        base, version=version, stay_value=(), loss_given_default={}, credit_conversion_factor={}, products=products, in_order=True
    )
    return RollRateStudy(
        found,
        named,
        tuple(sorted(kept)),
        int(everything.bucket.size),
        sum(month.fresh for month in months),
        sum(month.left_unsaid for month in months),
        moved,
    )


def base_values(base: ValueParameters, code: str) -> ProductValues:
    """Return what is not measured of a product; of a product that the base does not name, nothing may be taken in silence.

    Raises:
        CollectionsError: VALUES_MISSING for a product without values of its own.
    """
    known = base.by_product()
    if code not in known:
        raise missing_values(np.array([code.encode()]), tuple(known))
    return known[code]


def _source(portfolios: Sequence[Portfolio], codes: Sequence[str]) -> ValueSource:
    first, last = portfolios[0].as_of_date, portfolios[-1].as_of_date
    text = f"roll rates of {len(portfolios)} portfolios from {first} to {last}, small buckets pooled over {len(codes)} product(s)"
    return ValueSource(("stay_value",), text, last, ValueGrade.MEASURED)


def _with_stay_values(
    base: ProductValues, own: ProductRates, pooled: ProductRates, source: ValueSource
) -> tuple[ProductValues, set[int]]:
    """Return a product's values with stay values of its own, else of all products, else the base's; and those buckets."""
    chosen = [mine or all_of_them for mine, all_of_them in zip(own.stay_values, pooled.stay_values, strict=True)]
    kept = {bucket for bucket, value in enumerate(chosen) if value is None}
    value = tuple(found.value if found else base.stay_value[bucket] for bucket, found in enumerate(chosen))
    low = tuple(found.low if found else base.stay_value[bucket] for bucket, found in enumerate(chosen))
    high = tuple(found.high if found else base.stay_value[bucket] for bucket, found in enumerate(chosen))
    others = [replace(one, of=tuple(name for name in one.of if name != "stay_value")) for one in base.sources]
    rest = tuple(name for name in VALUED_BY_PRODUCT if name != "stay_value")
    told = [one for one in others if one.of] or [ValueSource(rest, "not measured, as given", source.as_of, ValueGrade.ASSUMED)]
    made = replace(base, stay_value=value, stay_value_low=low, stay_value_high=high, sources=(source, *told))
    return made, kept


def _measured(transitions: Transitions, base: ValueParameters, values: ProductValues, seed: int) -> ProductRates:
    rates = count_rates(transitions)
    ends = AbsorbingWorth(base.discount_rate, values.redefault_probability, values.loss_given_default)
    found = stay_value_intervals(transitions, ends, seed)
    enough = rates.account_count >= MIN_CELL_COUNT
    return ProductRates(rates, tuple(value if enough[bucket] else None for bucket, value in enumerate(found)))


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
