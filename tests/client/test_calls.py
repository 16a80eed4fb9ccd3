"""What every call of the client passes: deadlines, grpc's retries, refusals as errors, and how a connection is opened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.client.policy import CONTRACT, deadline_seconds, retryable_codes, service_config
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.service.access.methods import METHODS
from tests.support.serving.fake_portfolios import Portfolios
from tests.support.serving.servers import portfolio_service, served

HEADER = pb.PortfolioHeader(
    portfolio_id="p", as_of_date={"year": 2026, "month": 11, "day": 24}, time_zone="UTC", currency_code="TWD", row_count=6
)


@pytest.fixture
def portfolios():
    return Portfolios()


def test_a_call_without_a_deadline_gets_its_methods(portfolios):
    with served([portfolio_service(portfolios)]) as client:
        client.portfolios.GetPortfolio(pb.GetPortfolioRequest())
        assert portfolios.remaining == pytest.approx(deadline_seconds("GetPortfolio"), abs=20)
        client.portfolios.GetPortfolio(pb.GetPortfolioRequest(), timeout=7)
        assert portfolios.remaining == pytest.approx(7, abs=5)


@pytest.mark.parametrize("reason", [Reason.OVERLOADED, Reason.OUTCOME_UNKNOWN])
def test_a_busy_server_is_asked_again(portfolios, reason):
    portfolios.refusals = [CollectionsError(reason, "Later.")] * 2
    with served([portfolio_service(portfolios)]) as client:
        client.portfolios.GetPortfolio(pb.GetPortfolioRequest())
        assert portfolios.calls == 3
        portfolios.refusals = [CollectionsError(reason, "Later.")]
        header = pb.ImportPortfolioRequest(header=HEADER)
        chunk = pb.ImportPortfolioRequest(chunk={"row_count": 3})
        assert client.portfolios.ImportPortfolio(iter([header, chunk, chunk])).portfolio.row_count == 6
        assert portfolios.calls == 5


def test_what_may_happen_once_is_repeated_only_when_nothing_ran():
    assert retryable_codes("UpdateCapacityPlan") == ("RESOURCE_EXHAUSTED",)
    assert retryable_codes("CreateCapacityPlan") == ("RESOURCE_EXHAUSTED",)
    assert retryable_codes("CreateRanking") == ("UNAVAILABLE", "RESOURCE_EXHAUSTED")


def test_every_method_of_the_contract_has_a_retry_policy():
    named = {(n["service"], n["method"]) for c in json.loads(service_config())["methodConfig"] for n in c["name"]}
    services = {s.name: s for file in CONTRACT for s in file.services_by_name.values()}
    assert services.keys() == METHODS.keys()
    assert named == {(services[s].full_name, method) for s, methods in METHODS.items() for method in methods}


def test_a_refusal_comes_back_with_reason_field_and_remedy(portfolios):
    portfolios.refusals = [refuse(Reason.NOT_FOUND, "portfolio_id", "'x' is unknown.", "List them.")]
    with served([portfolio_service(portfolios)]) as client, pytest.raises(CollectionsError) as caught:
        client.portfolios.GetPortfolio(pb.GetPortfolioRequest())
    sent = refuse(Reason.NOT_FOUND, "portfolio_id", "'x' is unknown.", "List them.")
    assert (caught.value.reason, caught.value.message, caught.value.violations) == (sent.reason, sent.message, sent.violations)


def test_a_deadline_that_passes_says_that_the_outcome_is_unknown(portfolios):
    with served([portfolio_service(portfolios)]) as client:
        with pytest.raises(CollectionsError) as caught:
            client.portfolios.ListQuarantinedAccounts(pb.ListQuarantinedAccountsRequest(), timeout=0.2)
        portfolios.released.set()
    assert caught.value.reason is Reason.OUTCOME_UNKNOWN


def test_a_server_that_is_not_there_is_named():
    with connect(Connection("127.0.0.1:1", insecure_loopback=True)) as client, pytest.raises(CollectionsError) as caught:
        client.portfolios.GetPortfolio(pb.GetPortfolioRequest(), timeout=5)
    assert caught.value.reason is Reason.OUTCOME_UNKNOWN
    assert "127.0.0.1:1" in caught.value.message


@pytest.mark.parametrize(
    ("connection", "field"),
    [
        (Connection("example.org:443", insecure_loopback=True), "address"),
        (Connection("localhost:443", ca=Path("ca.pem"), insecure_loopback=True), "insecure_loopback"),
        (Connection("localhost:443", ca=Path("missing.pem")), "tls"),
        (Connection("localhost:443", key=Path("k.pem")), "certificate"),
    ],
)
def test_a_connection_that_cannot_be_meant_is_refused(connection, field):
    with pytest.raises(CollectionsError) as caught:
        connection.channel()
    assert caught.value.violations[0].field == field
