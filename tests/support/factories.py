"""Small portfolios and plans for tests: the five-account fixture and random ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from collections_opt.core.accounts.admission import Admission, admit
from collections_opt.core.accounts.own_columns import OwnColumn, OwnKind
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.desk.queues import CapacityPlan, ContactEffect, Queue
from collections_opt.core.rules.tables import Rule, RuleKind, RuleStatus, RuleTable
from collections_opt.core.value.outcomes import OutcomeProbabilities

AS_OF = date(2026, 11, 24)
EVER = date(2000, 1, 1)


def raw_portfolio(**columns: Any) -> RawPortfolio:
    """Return a raw portfolio with sensible values in every required column that is not given."""
    count = len(columns["account_id"])
    defaults: dict[str, Any] = {
        "product": np.array(["CREDIT_CARD"] * count, dtype=object),
        "balance_minor": np.full(count, 100_000, dtype=np.int64),
        "arrears_minor": np.full(count, 10_000, dtype=np.int64),
        "days_past_due": np.full(count, 40, dtype=np.int64),
    }
    merged = {**defaults, **columns}
    return RawPortfolio(AS_OF, "America/New_York", "USD", {k: np.asarray(v) for k, v in merged.items()})


def admitted(**columns: Any) -> Admission:
    """Return the admission of a raw portfolio."""
    return admit(raw_portfolio(**columns))


def text(values: list[str]) -> np.ndarray[Any, Any]:
    """Return an object array of str."""
    return np.array(values, dtype=object)


def queue(queue_id: str, **changes: Any) -> Queue:
    """Return a queue with the fixture's times and cost."""
    effect = changes.pop("effect", ContactEffect(0.5, 0.8, 0.6))
    settings: dict[str, Any] = {
        "agents": 1.0,
        "paid_minutes": 480.0,
        "attempts": 3.0,
        "dial_minutes": 0.6,
        "talk_minutes": 6.0,
        "wrap_minutes": 1.5,
        "variable_cost_per_minute_minor": 95,
    }
    return Queue(queue_id=queue_id, name=queue_id, effect=effect, **{**settings, **changes})


def plan(*queues: Queue) -> CapacityPlan:
    """Return version 1 of a plan in force forever."""
    return CapacityPlan("test", 1, EVER, "USD", queues)


def flag_rules() -> RuleTable:
    """Return every block flag as a rule, a call cap and the credit-balance rule."""
    flags = tuple(Rule(f"flag.{name}", 1, RuleKind.FLAG, name, EVER, specialism=name) for name in BLOCK_FLAGS)
    cap = Rule("cap.calls", 1, RuleKind.COUNT_ABOVE, "calls_last_7_days_count", EVER, threshold=7, next_eligible_days=7)
    credit = Rule("credit", 1, RuleKind.NOT_POSITIVE, "balance_minor", EVER)
    return RuleTable("test-1", (*flags, cap, credit))


def outcomes(probability: Any) -> OutcomeProbabilities:
    """Return probabilities (n, 3) in the order cure, default, stay."""
    values = np.asarray(probability, dtype=np.float64)
    return OutcomeProbabilities(values, "model-test", "calibration-test")


CITY_CAP = Rule(
    "springfield-cap",
    1,
    RuleKind.BUDGET,
    "attempts_last_7_days_count",
    EVER,
    threshold=2,
    jurisdictions=("US-IL-SPI",),
    next_eligible_days=7,
    source="Springfield City Code 12.4",
    description="Springfield: more than two attempts within 7 days.",
    status=RuleStatus.LAW,
)


OWN_SCORE = OwnColumn("bureau_score", OwnKind.NUMBER, "Score of the bureau.", "points", AS_OF, 1, True)
OWN_DESK = OwnColumn("desk", OwnKind.CATEGORY, "Desk that opened the account.", may_be_missing=True)


def some(raw, rows, **columns):
    picked = {name: column[rows] for name, column in raw.columns.items()}
    masks = {name: mask[rows] for name, mask in raw.present.items()}
    return RawPortfolio(raw.as_of_date, raw.time_zone, raw.currency_code, {**picked, **columns}, masks)
