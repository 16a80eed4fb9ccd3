"""Good requests of MonitorService."""

from __future__ import annotations

from google.type.date_pb2 import Date

from collections_opt.api.v1 import monitor_service_pb2 as pb
from tests.support.serving.calls import PLAN
from tests.support.serving.matured_books import BOOK, LATER

MODEL = "outcome/credit-card-4"

TERMS = pb.OutcomeTerms(products={"CREDIT_CARD": pb.ProductOutcomeTerms(horizon_days=30, default_days_past_due=90)}, grace_days=7)


def monitor_requests(ranking_id):
    """Return good calls of every method."""
    return {
        "MatureRankings": [[pb.MatureRankingsRequest(ranking_ids=[ranking_id], terms=TERMS, later_portfolio_ids=[LATER])]],
        "ListMaturities": [[pb.ListMaturitiesRequest(ranking_id=ranking_id, portfolio_id=BOOK, page_size=5)]],
        "GetMonitors": [[pb.GetMonitorsRequest(model_version=MODEL, plan_id=PLAN, page_size=5)]],
        "ListOutcomes": [[pb.ListOutcomesRequest(ranking_id=ranking_id, page_size=5)]],
    }


def told():
    """Return a good stream of RecordOutcomes."""
    row = pb.ToldOutcome(
        account_id="a000",
        outcome=pb.HORIZON_OUTCOME_CURED,
        outcome_date=Date(year=2026, month=9, day=20),
        cash_minor_units=500,
    )
    return [pb.RecordOutcomesRequest(portfolio_id=BOOK, source="a file", outcomes=[row], validate_only=True)]
