"""The order of payoffs, cure at least stay at least default, as a condition on parameters before any account is valued."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.limits import MAX_LIST_ITEMS
from collections_opt.core.names import list_violations, text_violation
from collections_opt.core.value.discounting import delta
from collections_opt.core.value.parameters import (
    BUCKET_COUNT,
    VALUED_BY_PRODUCT,
    ProductValues,
    ValueParameters,
)

TOLERANCE = 1e-9
"""Differences of values per unit of balance below this are rounding."""

_SHARES = ("loss_given_default", "credit_conversion_factor", "redefault_probability", "stay_payment_share")
_DAYS = ("cure_days", "stay_days", "default_days")


@dataclass(frozen=True)
class Terms:
    """What is common to all products of a ranking: the yearly discount rate and the horizon in days."""

    discount_rate: float
    horizon_days: int


def check_parameters(parameters: ValueParameters) -> None:
    """Refuse parameters outside their meaning, or under which a worse outcome would be worth more.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault, naming product and bucket.
    """
    found = list(violations(parameters))
    if found:
        message = f"{len(found)} value parameter(s) at fault: {found[0]}"
        raise CollectionsError(Reason.INVALID_ARGUMENT, message, tuple(found))


def violations(parameters: ValueParameters) -> Iterator[FieldViolation]:
    """Yield what is wrong with parameters: bounds first, and the order of products where the bounds hold."""
    wrong = [*_common(parameters), *(_products(parameters) if parameters.products else _flat(parameters))]
    yield from wrong
    if wrong or not parameters.in_order:
        return
    known = parameters.by_product()
    if not known:
        yield FieldViolation("loss_given_default", "names no product.", "Name every product, here and in the conversion factors.")
    terms = Terms(parameters.discount_rate, parameters.horizon_days)
    for product, values in known.items():
        path = f"products[{product[:40]!r}]." if parameters.products else ""
        yield from order_violations(product, f"{path}stay_value", values, terms)


def _common(parameters: ValueParameters) -> Iterator[FieldViolation]:
    wrong_name = text_violation("version", parameters.version)
    if wrong_name:
        yield wrong_name
    yield from _outside("discount_rate", parameters.discount_rate, 0, 10)
    yield from _outside("horizon_days", parameters.horizon_days, 1, 3_660)


def _flat(parameters: ValueParameters) -> Iterator[FieldViolation]:
    for name in _DAYS:
        yield from _outside(name, getattr(parameters, name), 1, 3_660)
    yield from _outside("stay_payment_share", parameters.stay_payment_share, 0, 1)
    yield from _outside("redefault_probability", parameters.redefault_probability, 0, 1)
    yield from _outside("stay_value.count", len(parameters.stay_value), BUCKET_COUNT, BUCKET_COUNT)
    for bucket, share in enumerate(parameters.stay_value):
        yield from _outside(f"stay_value[{bucket}]", share, 0, 1)
    for name in ("loss_given_default", "credit_conversion_factor"):
        shares: Mapping[str, float] = getattr(parameters, name)
        if not parameters.in_order:
            yield from _outside(f"{name}.default_count", int("" in shares), 1, 1)
        yield from list_violations(name, [product for product in shares if product])
        for product, share in list(shares.items())[: MAX_LIST_ITEMS + 1]:
            yield from _outside(f"{name}[{product[:40]!r}]", share, 0, 1)


def _products(parameters: ValueParameters) -> Iterator[FieldViolation]:
    yield from list_violations("products", list(parameters.products))
    for product, values in parameters.products.items():
        path = f"products[{product[:40]!r}]"
        yield from _bounds(path, values)
        yield from _sources(path, values)


def order_violations(product: str, field: str, values: ProductValues, terms: Terms) -> Iterator[FieldViolation]:
    """Yield where an account of a product would be worth more staying late than cured, or defaulted than staying.

    Payoffs are linear in the arrears, so an account past due by nothing and one past due by all it owes stand for all others.
    Accounts whose own LGD differs or whose charge-off comes before H may still break the order: those are clipped
    and counted when they are valued.
    """
    rate, share = terms.discount_rate, values.stay_payment_share
    at_end = float(delta(terms.horizon_days, rate))
    cure_at = float(delta(min(values.cure_days, terms.horizon_days), rate))
    paid = share * float(delta(min(values.stay_days, terms.horizon_days), rate))
    cured = (1.0 - values.redefault_probability * values.loss_given_default) * cure_at
    lost = (1.0 - values.loss_given_default) * float(delta(values.default_days, rate))
    remedy = "Measure them on months that went before (`scripts/roll_rates.py`), or correct the value at fault."

    def told(bucket: int, problem: str) -> FieldViolation:
        return FieldViolation(f"{field}[{bucket}]", f"{problem} (product {product}, bucket {bucket}).", remedy)

    for bucket, value in enumerate(values.stay_value):
        stay = value * at_end
        if stay > cured + TOLERANCE:
            yield told(bucket, f"staying late is worth {stay:.4f} of a unit, a cure {cured:.4f}")
        elif paid + (1.0 - share) * stay > cure_at + TOLERANCE:
            paid_late = paid + (1.0 - share) * stay
            yield told(bucket, f"arrears paid while staying are worth {paid_late:.4f}, paid by a cure {cure_at:.4f}")
        if lost > stay + TOLERANCE:
            yield told(bucket, f"a default is worth {lost:.4f} of a unit, staying late {stay:.4f}")
        elif lost > paid + (1.0 - share) * stay + TOLERANCE:
            yield told(bucket, f"a default of an account past due by all it owes is worth {lost:.4f}, staying less")
        if bucket and value > values.stay_value[bucket - 1] + TOLERANCE:
            before = values.stay_value[bucket - 1]
            yield told(bucket, f"staying is worth {value:.4f}, more than {before:.4f} a bucket before")


def ordered(values: ProductValues, terms: Terms) -> ProductValues:
    """Return values whose stay values are in order: between a default's and a cure's worth, and none rising with the bucket.

    What was measured strays from it where few accounts stand behind a bucket; how far is the caller's to judge.
    """
    at_end = float(delta(terms.horizon_days, terms.discount_rate))
    cured = (1.0 - values.redefault_probability * values.loss_given_default) * float(
        delta(min(values.cure_days, terms.horizon_days), terms.discount_rate)
    )
    lost = (1.0 - values.loss_given_default) * float(delta(values.default_days, terms.discount_rate))
    kept = np.clip(np.minimum.accumulate(np.array(values.stay_value, dtype=np.float64)), lost / at_end, min(cured / at_end, 1.0))
    return replace(values, stay_value=tuple(kept.tolist()))


def _bounds(path: str, values: ProductValues) -> Iterator[FieldViolation]:
    for name in _SHARES:
        yield from _outside(f"{path}.{name}", getattr(values, name), 0, 1)
    for name in _DAYS:
        yield from _outside(f"{path}.{name}", getattr(values, name), 1, 3_660)
    yield from _outside(f"{path}.stay_value.count", len(values.stay_value), BUCKET_COUNT, BUCKET_COUNT)
    for name in ("stay_value", "stay_value_low", "stay_value_high"):
        column = getattr(values, name)
        if name != "stay_value" and column and len(column) != BUCKET_COUNT:
            yield FieldViolation(f"{path}.{name}", f"holds {len(column)} values.", f"Give {BUCKET_COUNT}, or none.")
        for bucket, share in enumerate(column[:BUCKET_COUNT]):
            yield from _outside(f"{path}.{name}[{bucket}]", share, 0, 1)


def _sources(path: str, values: ProductValues) -> Iterator[FieldViolation]:
    named = [name for source in values.sources for name in source.of]
    for name in VALUED_BY_PRODUCT:
        if named.count(name) != 1:
            problem = "has no source" if name not in named else "has more than one source"
            yield FieldViolation(f"{path}.sources", f"{name} {problem}.", "Name every value once: of, text, as_of, grade.")
    for index, source in enumerate(values.sources):
        unknown = [name for name in source.of if name not in VALUED_BY_PRODUCT]
        if unknown or not source.of:
            known = ", ".join(VALUED_BY_PRODUCT)
            yield FieldViolation(f"{path}.sources[{index}].of", f"{unknown or 'nothing'} is no value.", f"Use {known}.")
        wrong = text_violation(f"{path}.sources[{index}].text", source.text)
        if wrong:
            yield wrong


def _outside(name: str, value: float, low: float, high: float) -> Iterator[FieldViolation]:
    if not low <= value <= high:
        yield FieldViolation(name, f"{value:g} is outside {low:g} to {high:g}.", "Correct the value or its unit.")
