"""A comparison to report on."""

from __future__ import annotations

from datetime import date

from collections_opt.core.desk.queues import CapacityPlan, ContactEffect, EvidenceGrade, Queue
from collections_opt.core.evaluation.comparison import Interval, OrderingOutcome
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.ranking.ranking_summary import QueueFigures, RankingSummary
from collections_opt.reports.comparison.page import ComparisonReport
from collections_opt.reports.ranking_report import WorklistLine

FIRST = OrderingOutcome(Ordering.EXPECTED_VALUE, 10, 60.0, 123_456_00, 1.0, 1.0, 0, 0)
FIRST_REALISED = OrderingOutcome(
    Ordering.EXPECTED_VALUE,
    10,
    60.0,
    123_456_00,
    1.0,
    1.0,
    0,
    0,
    Interval(1.1e6, 1e6, 1.2e6),
    Interval(4, 1, 5),
    Interval(2, 0, 4),
    Interval(0.3, 0.2, 0.4),
    Interval(0, 0, 0),
)
BALANCE = OrderingOutcome(Ordering.BALANCE, 8, 60.0, 99_900, 0.5, float("nan"), 3, 5)
BALANCE_REALISED = OrderingOutcome(
    Ordering.BALANCE,
    8,
    60.0,
    99_900,
    0.5,
    float("nan"),
    3,
    5,
    Interval(1e6, 9e5, 1.1e6),
    Interval(3, 1, 5),
    Interval(2, 0, 4),
    Interval(0.25, 0.2, 0.3),
    Interval(-1e5, -2e5, 3e4),
)

COUNTS = {
    Disposition.ASSIGNED: 10,
    Disposition.INELIGIBLE: 1,
    Disposition.COSTS_MORE_THAN_IT_EARNS: 2,
    Disposition.PRICED_OUT: 3,
}
QUEUES = (QueueFigures("early", 120.0, 60.0, 250.0), QueueFigures("night", 0.0, 0.0, 0.0))
GRADES = ((EvidenceGrade.ASSUMED, 0.75), (EvidenceGrade.EXPERIMENT, 0.25))
SUMMARY = RankingSummary(
    "rk-1", Ordering.EXPECTED_VALUE, "TWD", COUNTS, 12_345_600, 12_400_000, 0.00439, "GAP_REACHED", QUEUES, GRADES, "plan/desk/1"
)


def _queue(queue_id):
    return Queue(
        queue_id=queue_id,
        name=queue_id,
        channel="CALL",
        agents=1,
        paid_minutes=120,
        effect=ContactEffect(right_party_contact_rate=0.5, theta_cure=0.5, theta_default=0.5),
    )


PLAN = CapacityPlan("desk", 1, date(2026, 11, 24), "TWD", (_queue("early"), _queue("night")))
LINE = WorklistLine("acc-<1>", 1, 250_000, 4.7, 100_000, "Its recent payments speak for a cure.")


def report_of(*outcomes):
    return ComparisonReport("Orders <compared>", outcomes, SUMMARY, PLAN, {"early": [LINE], "night": []}, [("portfolio", "p&1")])
