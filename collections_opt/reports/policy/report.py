"""The value of orders on a contact log as rows and tables; money per account in major units for people, minor for machines."""

from __future__ import annotations

from typing import Any

from collections_opt.core.codes.currencies import currency
from collections_opt.core.evaluation.policy_comparison import EXPECTED_VALUE_PLANNED, OrderValue, PolicyEvaluation
from collections_opt.core.evaluation.policy_value import PolicyEstimate
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.reports.csv_text import csv_text
from collections_opt.reports.order_names import TITLES

Table = tuple[list[str], list[list[str]]]

POLICY_NOTE = (
    "Money per account that the holdout could draw, net of the contact's cost; in brackets 95 % intervals. Gain: over contacting "
    "nobody. Behind: what expected value brings more. Effective: rows of the log that did what the order does to the accounts it "
    "works, after weighting. Accounts are judged one by one; minutes are the planned ones."
)
"""Said wherever these figures are shown."""


def order_title(name: str) -> str:
    """Return an order's name for people."""
    return "expected value, plan's effects" if name == EXPECTED_VALUE_PLANNED else TITLES[Ordering(name)]


def policy_headline(found: PolicyEvaluation) -> str:
    """Return the main finding, and how expected value stands beside the others."""
    return f"{policy_finding(found)} {policy_standing(found)}".strip()


def policy_finding(found: PolicyEvaluation) -> str:
    """Return the main finding in one sentence."""
    first = found.orders[0]
    if first.gain is None:
        return "The log is too small to say what expected value is worth."
    gain, unit = _money(first.gain, found.currency_code), f"{found.currency_code} per account"
    shown = "" if first.gain.low > 0 or first.gain.high < 0 else ", which chance alone could give"
    return f"Working by expected value is estimated to add {gain} {unit} over contacting nobody{shown}."


def policy_standing(found: PolicyEvaluation) -> str:
    """Return how expected value stands beside the other orders; "" where it has no figure."""
    if found.orders[0].gain is None:
        return ""
    others = [order.behind for order in found.orders[1:] if order.behind is not None]
    ahead, behind = sum(one.low > 0 for one in others), sum(one.high < 0 for one in others)
    return f"Of {len(others)} others it is shown to be ahead of {ahead} and behind {behind}; the log does not decide on the rest."


def value_table(found: PolicyEvaluation) -> Table:
    """Return the value of every order by every estimate."""
    head = ["order", "works", "gain", "behind", "effective", "doubly robust", "SNIPS", "IPS"]
    return head, [_value_line(order, found.currency_code) for order in found.orders]


def refusals(found: PolicyEvaluation) -> list[str]:
    """Return why orders have no figure, one sentence each."""
    return [f"{order_title(order.order)}: {order.refusal}" for order in found.orders if order.refusal]


def provenance(found: PolicyEvaluation) -> list[tuple[str, str]]:
    """Return what the figures rest on: logs with digest, rows and period, and grades of evidence, by name."""
    lines = []
    for source, portfolio, day in zip(found.sources, found.portfolios, found.as_of_dates, strict=False):
        mark = "SIMULATED, " if source.simulated else ""
        lines.append(
            ("log", f"{mark}{source.name}, {source.row_count:,} rows after {day} ({portfolio}), SHA-256 {source.digest}")
        )
    lines.append(("evidence of the values", f"EXPERIMENT: {found.randomised_count:,} rows that a holdout drew"))
    return [*lines, ("evidence of the effects that rank", _graded(found))]


def grade_sentence(found: PolicyEvaluation) -> str:
    """Return how well the figures and the effects that rank are known, for the first line of a page."""
    rows = f"The figures are known by EXPERIMENT, from {found.randomised_count:,} rows that a holdout drew"
    return f"{rows}; the effects that rank are {_graded(found)}." if found.grades else f"{rows}."


def _graded(found: PolicyEvaluation) -> str:
    by_grade: dict[str, list[str]] = {}
    for queue, grade in found.grades.items():
        by_grade.setdefault(grade, []).append(queue)
    return "; ".join(f"{grade}: {', '.join(queues)}" for grade, queues in by_grade.items())


def policy_figures(found: PolicyEvaluation) -> dict[str, Any]:
    """Return everything for machines, money in minor units."""
    return {
        "plan": found.plan,
        "effects": list(found.effects),
        "outcome_models": list(found.outcome_models),
        "reward": found.reward.value,
        "currency_code": found.currency_code,
        "simulated": found.simulated,
        "portfolios": list(found.portfolios),
        "as_of_dates": [day.isoformat() for day in found.as_of_dates],
        "logs": [source.__dict__ for source in found.sources],
        "effect_evidence": dict(found.grades),
        "account_count": found.account_count,
        "randomised_count": found.randomised_count,
        "orders": {
            order.order: {
                "worked_count": order.worked_count,
                "logged_count": order.logged_count,
                "estimates": {estimate.method: estimate.__dict__ for estimate in order.estimates},
                "gain": order.gain.__dict__ if order.gain else None,
                "behind": order.behind.__dict__ if order.behind else None,
                "refusal": order.refusal,
            }
            for order in found.orders
        },
        "curves": {
            name: {
                "share": curve.share.tolist(),
                "gain": curve.gain.tolist(),
                "qini": curve.qini.__dict__,
                "auuc": curve.auuc.__dict__,
            }
            for name, curve in found.curves.items()
        },
    }


def policy_csv(found: PolicyEvaluation) -> str:
    """Return one line per order and estimate; money in minor units; a refused order has one line that says why."""
    head = ["order", "estimate", "value_minor_units", "standard_error", "low", "high", "row_count", "matched_count"]
    head += ["effective_count", "worked_count", "refusal"]
    lines: list[dict[str, object]] = []
    for order in found.orders:
        named = [(estimate.method, estimate) for estimate in order.estimates]
        named += [(name, one) for name, one in (("GAIN", order.gain), ("BEHIND", order.behind)) if one is not None]
        for name, one in named:
            figures = {key: getattr(one, key) for key in head[3:9]}
            line = {"order": order.order, "estimate": name, "value_minor_units": one.value, **figures}
            lines.append({**line, "worked_count": order.worked_count})
        if order.refusal:
            lines.append({"order": order.order, "worked_count": order.worked_count, "refusal": order.refusal})
    return csv_text(head, lines)


def _value_line(order: OrderValue, currency_code: str) -> list[str]:
    title, works = order_title(order.order), f"{order.worked_count:,}"
    if order.gain is None:
        return [title, works, *["refused"] * 6]
    behind = _money(order.behind, currency_code) if order.behind else "-"
    estimates = [_money(estimate, currency_code) for estimate in reversed(order.estimates)]
    return [title, works, _money(order.gain, currency_code), behind, f"{order.gain.effective_count:,.0f}", *estimates]


def _money(found: PolicyEstimate, currency_code: str) -> str:
    unit = currency(currency_code)
    return f"{unit.exact(found.value)} [{unit.exact(found.low)}, {unit.exact(found.high)}]"
