"""Good requests of MonitorService."""

from __future__ import annotations

from google.type.date_pb2 import Date

from collections_opt.api.v1 import model_service_pb2 as model_pb
from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.application.training.jobs import training_name
from tests.support.serving.calls import PLAN
from tests.support.serving.matured_books import BOOK, LATER

MODEL = "outcome/credit-card-4"
TRAINING_REQUEST = "5f0c2a4e-8d1b-4c3a-9e7f-0a1b2c3d4e5f"
TRAINING = training_name(TRAINING_REQUEST)

TERMS = pb.OutcomeTerms(products={"CREDIT_CARD": pb.ProductOutcomeTerms(horizon_days=30, default_days_past_due=90)}, grace_days=7)


def monitor_requests(ranking_id):
    """Return good calls of every method."""
    return {
        "MatureRankings": [[pb.MatureRankingsRequest(ranking_ids=[ranking_id], terms=TERMS, later_portfolio_ids=[LATER])]],
        "ListMaturities": [[pb.ListMaturitiesRequest(ranking_id=ranking_id, portfolio_id=BOOK, page_size=5)]],
        "GetMonitors": [[pb.GetMonitorsRequest(model_version=MODEL, plan_id=PLAN, page_size=5)]],
        "CompareOutcomes": [[pb.CompareOutcomesRequest(ranking_ids=[ranking_id])]],
        "ListOutcomes": [[pb.ListOutcomesRequest(ranking_id=ranking_id, page_size=5, account_ids=["a001"])]],
    }


def training_requests(ranking_id):
    """Return good calls of trainings; too few rankings have matured for one to succeed, which it says later."""
    started = model_pb.TrainModelRequest(
        request_id=TRAINING_REQUEST,
        kind="contact",
        version="swept-training",
        ranking_ids=[ranking_id],
        plan_id=PLAN,
        seed=2,
    )
    return {
        "TrainModel": [[started]],
        "ListTrainings": [[model_pb.ListTrainingsRequest(page_size=5)]],
        "GetTraining": [[model_pb.GetTrainingRequest(training_id=TRAINING)]],
        "CancelTraining": [[model_pb.CancelTrainingRequest(training_id=TRAINING)]],
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
