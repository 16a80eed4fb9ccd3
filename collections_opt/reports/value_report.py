"""Value parameters for people: what a product's accounts are worth, and where the figures come from."""

from __future__ import annotations

from collections_opt.core.value.parameters import BUCKET_COUNT, ProductValues, ValueParameters

Table = tuple[list[str], list[list[str]]]
"""Header and lines."""

_SHARES = {
    "loss given default": "loss_given_default",
    "credit conversion factor": "credit_conversion_factor",
    "default after a cure": "redefault_probability",
    "share paid while staying": "stay_payment_share",
}
_DAYS = {"days to cure": "cure_days", "days to payments": "stay_days", "days to default": "default_days"}


def values_table(parameters: ValueParameters) -> Table:
    """Return a line per value and a column per product."""
    products = parameters.by_product()
    lines = [[told, *(f"{getattr(held, name):.3f}" for held in products.values())] for told, name in _SHARES.items()]
    lines += [
        [f"stay value, bucket {bucket}", *(_stay_value(held, bucket) for held in products.values())]
        for bucket in range(BUCKET_COUNT)
    ]
    lines += [[told, *(str(getattr(held, name)) for held in products.values())] for told, name in _DAYS.items()]
    common = [
        ["discount rate a year", f"{parameters.discount_rate:.3f}"],
        ["horizon in days", str(parameters.horizon_days)],
        ["cost of a minute", str(parameters.cost_basis.value)],
    ]
    lines += [[told, *([value] * len(products))] for told, value in common]
    return ["value", *products], lines


def sources_table(parameters: ValueParameters) -> Table:
    """Return a line per source of each product."""
    lines = [
        [name, source.grade.value, source.as_of.isoformat(), ", ".join(source.of), source.text]
        for name, held in parameters.by_product().items()
        for source in held.sources
    ]
    return ["product", "grade", "as of", "values", "source"], lines


def _stay_value(held: ProductValues, bucket: int) -> str:
    value = f"{held.stay_value[bucket]:.3f}"
    if not held.stay_value_low or not held.stay_value_high:
        return value
    return f"{value} ({held.stay_value_low[bucket]:.3f} to {held.stay_value_high[bucket]:.3f})"
