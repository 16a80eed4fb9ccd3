"""Stubs of every service over a real server, and good requests for them."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2

from collections_opt.api.v1 import (
    account_pb2,
    capacity_service_pb2_grpc,
    event_service_pb2_grpc,
    experiment_service_pb2_grpc,
    model_service_pb2_grpc,
    monitor_service_pb2_grpc,
    pack_service_pb2_grpc,
    parameters_service_pb2_grpc,
    placement_pb2,
    portfolio_service_pb2,
    portfolio_service_pb2_grpc,
    ranking_pb2,
    ranking_service_pb2,
    ranking_service_pb2_grpc,
    retention_service_pb2_grpc,
    rule_service_pb2_grpc,
    schema_service_pb2_grpc,
    scoring_service_pb2,
    scoring_service_pb2_grpc,
    worklist_service_pb2_grpc,
)
from collections_opt.application.settings import bundled_plan
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from collections_opt.wire.columns import Columns, encode_chunks, told_rows
from collections_opt.wire.common import write_date
from tests.support.serving.edge import refusal

MODELS = Path(__file__).parents[3] / "models"
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
AS_OF = date(2026, 11, 24)
PLAN = bundled_plan().plan_id
ROWS = 600
WAIT = 60.0
C = grpc.StatusCode


class Client:
    """Stubs by resource; every call has a deadline."""

    def __init__(self, channel):
        self.channel = channel
        self.portfolios = portfolio_service_pb2_grpc.PortfolioServiceStub(channel)
        self.plans = capacity_service_pb2_grpc.CapacityServiceStub(channel)
        self.schema = schema_service_pb2_grpc.SchemaServiceStub(channel)
        self.scoring = scoring_service_pb2_grpc.ScoringServiceStub(channel)
        self.rankings = ranking_service_pb2_grpc.RankingServiceStub(channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(channel)
        self.parameters = parameters_service_pb2_grpc.ParametersServiceStub(channel)
        self.rules = rule_service_pb2_grpc.RuleServiceStub(channel)
        self.packs = pack_service_pb2_grpc.PackServiceStub(channel)
        self.retention = retention_service_pb2_grpc.RetentionServiceStub(channel)
        self.monitors = monitor_service_pb2_grpc.MonitorServiceStub(channel)
        self.events = event_service_pb2_grpc.EventServiceStub(channel)
        self.experiments = experiment_service_pb2_grpc.ExperimentServiceStub(channel)
        self.worklists = worklist_service_pb2_grpc.WorklistServiceStub(channel)


@contextmanager
def calling(workspace):
    """Yield stubs of a server over a workspace, which tries no call again; it stops after the body."""
    built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True))
    built.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{built.port}", options=[("grpc.enable_retries", 0)]) as channel:
            yield Client(channel)
    finally:
        built.stop(0)


def columns(rows=ROWS, seed=1):
    rng = np.random.default_rng(seed)
    balance = rng.integers(50_000, 5_000_000, rows)
    values = {
        "account_id": np.array([f"acc-{i:05d}" for i in rng.permutation(rows)], dtype=object),
        "product": np.array(["CREDIT_CARD"] * rows, dtype=object),
        "state": np.array(["TW"] * rows, dtype=object),
        "balance_minor": balance,
        "arrears_minor": balance // 10,
        "credit_limit_minor": balance * 2,
        "days_past_due": rng.integers(30, 120, rows),
        "status_history": rng.integers(0, 4, (rows, 4)),
        "cease": rng.random(rows) < 0.05,
    }
    values["days_past_due"][0] = -4
    return Columns(rows, values, {"state": rng.random(rows) < 0.9})


def import_requests(portfolio_id, table, **header):
    given = {"as_of_date": write_date(AS_OF), "time_zone": "Asia/Taipei", "currency_code": "TWD", "row_count": table.row_count}
    request = portfolio_service_pb2.ImportPortfolioRequest
    yield request(header=portfolio_service_pb2.PortfolioHeader(portfolio_id=portfolio_id, **{**given, **header}))
    for chunk in encode_chunks(told_rows(table), target_bytes=20_000):
        yield request(chunk=chunk)


def create_request(**changes):
    fields = {
        "request_id": str(uuid.UUID(int=7, version=4)),
        "portfolio_id": "book",
        "capacity_plan_id": PLAN,
        "ordering": ranking_pb2.ORDERING_EXPECTED_VALUE,
    }
    return ranking_service_pb2.CreateRankingRequest(**{**fields, **changes})


def made(client, **changes):
    ranking_id = client.rankings.CreateRanking(create_request(**changes), timeout=WAIT).ranking.ranking_id
    watched = list(client.rankings.WatchRanking(ranking_service_pb2.WatchRankingRequest(ranking_id=ranking_id), timeout=WAIT))
    assert watched[-1].ranking.state == ranking_pb2.RANKING_STATE_SUCCEEDED, watched[-1]
    return watched[-1].ranking


def fields_of(error):
    status = refusal(error)[2]
    bad = next((d for d in status.details if d.Is(error_details_pb2.BadRequest.DESCRIPTOR)), None)
    if bad is None:
        return set()
    return {violation.field for violation in error_details_pb2.BadRequest.FromString(bad.value).field_violations}


def refused(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=WAIT)
    return caught.value


def account(account_id, **fields):
    given = {"product": "CREDIT_CARD", "state": "TW", "balance_minor_units": 900_000, "arrears_minor_units": 90_000}
    return account_pb2.Account(account_id=account_id, **{**given, "days_past_due": 45, **fields})


def score_request(*accounts, **changes):
    fields = {"as_of_date": write_date(AS_OF), "time_zone": "Asia/Taipei", "currency_code": "TWD", "capacity_plan_id": PLAN}
    return scoring_service_pb2.ScoreAccountsRequest(accounts=accounts, **{**fields, **changes})


def place_request(ranking, *accounts, **changes):
    fields = {"as_of_date": write_date(AS_OF), "time_zone": "Asia/Taipei", "currency_code": "TWD"}
    return placement_pb2.PlaceAccountsRequest(ranking_id=ranking.ranking_id, accounts=accounts, **{**fields, **changes})


def card_account(account_id, **fields):
    given = {"product": "CARD", "balance_minor_units": 1_000, "arrears_minor_units": 100, "days_past_due": 40}
    return account_pb2.Account(account_id=account_id, **{**given, **fields})
