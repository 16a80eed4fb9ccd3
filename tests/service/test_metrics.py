"""What a monitor sees: every end of a call once, and every ranking and degraded step."""

from __future__ import annotations

import urllib.request

import grpc
import pytest

from collections_opt.api.v1 import (
    portfolio_service_pb2,
    portfolio_service_pb2_grpc,
    ranking_service_pb2,
    ranking_service_pb2_grpc,
)
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import Reason, refuse
from collections_opt.service.metrics import ServerMetrics
from collections_opt.service.server.guard import Guard
from collections_opt.service.server.services import all_services
from tests.support.books.bundled_portfolio import import_bundled, rank_bundled
from tests.support.models.folders import NOW, folder_with_people
from tests.support.scripts.processes import call, server
from tests.support.serving.edge import WAIT, FakePortfolios, FakeRankings, places, raw_call, running

METHOD = "collections_opt.api.v1.PortfolioService.GetPortfolio"
WATCH = "collections_opt.api.v1.RankingService.WatchRanking"


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels) or 0.0


def test_every_call_is_counted_once_by_how_it_ended():
    metrics, fake, rankings = ServerMetrics(), FakePortfolios(), FakeRankings()
    request = portfolio_service_pb2.GetPortfolioRequest(portfolio_id="p")
    ends = {
        "OK": fake.answer,
        "NOT_FOUND": lambda *_: (_ for _ in ()).throw(refuse(Reason.NOT_FOUND, "portfolio_id", "is unknown.")),
        "INTERNAL": lambda *_: 1 // 0,
    }
    with running(fake, rankings, Guard(places(), metrics=metrics)) as channel:
        stub = portfolio_service_pb2_grpc.PortfolioServiceStub(channel)
        for outcome, answer in ends.items():
            fake.answer = answer
            if outcome == "OK":
                stub.GetPortfolio(request, timeout=WAIT)
                continue
            with pytest.raises(grpc.RpcError):
                stub.GetPortfolio(request, timeout=WAIT)
        with pytest.raises(grpc.RpcError):
            raw_call(channel, "GetPortfolio")(b"\xff", timeout=WAIT)
        with pytest.raises(grpc.RpcError):
            stub.GetPortfolio(request)
        watch = ranking_service_pb2_grpc.RankingServiceStub(channel).WatchRanking(
            ranking_service_pb2.WatchRankingRequest(), timeout=WAIT
        )
        next(watch)
        watch.cancel()
        assert rankings.ended.wait(WAIT)
    for outcome in (*ends, "MALFORMED_MESSAGE", "DEADLINE_REQUIRED"):
        assert value(metrics, "collections_opt_calls_total", method=METHOD, outcome=outcome) == 1, outcome
    assert value(metrics, "collections_opt_call_seconds_count", method=METHOD) == 5
    assert value(metrics, "collections_opt_calls_total", method=WATCH, outcome="CANCELLED") == 1


@pytest.mark.parametrize("broken", [False, True])
def test_rankings_and_degraded_steps_are_counted(tmp_path, broken):
    models = folder_with_people(tmp_path)
    metrics = ServerMetrics()
    workspace = open_workspace(tmp_path / "data", models, lambda: NOW)
    try:
        all_services(workspace, metrics=metrics)
        import_bundled(workspace)
        if broken:
            path = models / "outcome/credit-card-4/p_cure.txt"
            path.write_bytes(path.read_bytes() + b" ")
        record = rank_bundled(workspace)
    finally:
        workspace.close()
    labels = {"ordering": record["ordering"], "termination": record["termination"], "model_step": record["model_step"]}
    assert value(metrics, "collections_opt_rankings_total", **labels) == 1
    assert value(metrics, "collections_opt_ranking_accounts", disposition="ASSIGNED") == record["counts"]["ASSIGNED"]
    steps = [each["step"] for each in record["degraded"]]
    assert bool(steps) == broken
    for step in steps:
        assert value(metrics, "collections_opt_degraded_total", use="ranking", step=step) == steps.count(step)


def test_a_server_shows_them_over_http(tmp_path):
    with server(tmp_path, "--insecure-loopback", "--metrics-port", "0") as (flag, address, shown):
        assert call("overview.py", flag, address, "--insecure-loopback").returncode == 0
        text = urllib.request.urlopen(shown, timeout=WAIT).read().decode()
    assert 'collections_opt_calls_total{method="collections_opt.api.v1.PortfolioService.ListPortfolios",outcome="OK"} 1.0' in text
