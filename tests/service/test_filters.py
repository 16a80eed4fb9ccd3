"""Filters of lists: what they ask for is what is listed, page by page; anything else is refused where it stands."""

from __future__ import annotations

import re
import uuid
from contextlib import closing
from datetime import date
from pathlib import Path

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass

from collections_opt.api.v1 import capacity_service_pb2, portfolio_service_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.application.workspace import open_workspace
from collections_opt.client.policy import CONTRACT
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.listing import Term
from collections_opt.service.servicers.lists.filtering import DAY, TEXT, read_filter, read_order
from collections_opt.wire.common import write_date
from collections_opt.wire.status import from_status
from tests.support.databases import made_database
from tests.support.serving.calls import AS_OF, MODELS, NOW, PLAN, WAIT, calling, columns, import_requests, made
from tests.support.serving.edge import refusal

ROOT = Path(__file__).parents[2]
FIELDS = {"portfolio_id": TEXT, "as_of_date": DAY}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ('portfolio_id = "a b"', (Term("portfolio_id", "=", "a b"),)),
        ("portfolio_id=a-1", (Term("portfolio_id", "=", "a-1"),)),
        (
            ' portfolio_id = AND AND as_of_date = "2026-11-24" ',
            (Term("portfolio_id", "=", "AND"), Term("as_of_date", "=", date(2026, 11, 24))),
        ),
        (
            "as_of_date>=2026-11-24 AND as_of_date < 2026-12-01",
            (Term("as_of_date", ">=", date(2026, 11, 24)), Term("as_of_date", "<", date(2026, 12, 1))),
        ),
    ],
)
def test_a_filter_is_read(text, found):
    assert read_filter(text, FIELDS) == found


@pytest.mark.parametrize(
    "text",
    [
        "portfolio_id",
        "portfolio_id = ",
        'portfolio_id = ""',
        'portfolio_id = "a',
        "portfolio_id = a AND",
        "portfolio_id = a AND ",
        "portfolio_id = a OR portfolio_id = b",
        "portfolio_id = a AND portfolio_id = b",
        "portfolio_id = a ANDas_of_date = 2026-11-24",
        "portfolio_id > a",
        "as_of_date = 2026-11-24 AND as_of_date > 2026-11-01",
        "as_of_date > 2026-11-24 AND as_of_date >= 2026-11-01",
        "as_of_date != 2026-11-24",
        "as_of_date = 20261124",
        "as_of_date = 2026-13-01",
        "state = a",
        "a' OR 1=1 --",
        "portfolio_id = a" + " " * 20_000,
    ],
)
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(CollectionsError) as caught:
        read_filter(text, FIELDS)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.violations] == ["filter"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("filters")
    if request.param == "sqlite":
        yield from served(folder, "")
        return
    with made_database(request.getfixturevalue("postgres_server")) as url:
        yield from served(folder, url)


def served(folder, url):
    with closing(open_workspace(folder, MODELS, lambda: NOW, url)) as workspace, calling(workspace) as client:
        for number, name in enumerate(("a_1", "ab1", "a_1")):
            client.portfolios.ImportPortfolio(import_requests(name, columns(40)), timeout=WAIT)
            made(client, portfolio_id=name, request_id=str(uuid.UUID(int=number, version=4)))
        yield client


def listed(client, text, order="", **more):
    request = ranking_service_pb2.ListRankingsRequest
    found = paged(client.rankings.ListRankings, lambda token: request(filter=text, order_by=order, page_token=token, **more))
    return [ranking.inputs.portfolio_id for page in found for ranking in page.rankings]


def paged(call, ask):
    """Return every page of one item."""
    pages, token = [], ""
    while True:
        request = ask(token)
        request.page_size = 1
        pages.append(call(request, timeout=WAIT))
        token = pages[-1].next_page_token
        if not token:
            return pages


@pytest.mark.parametrize("states", [[], [ranking_pb2.RANKING_STATE_SUCCEEDED]])
def test_a_list_shows_what_its_filter_asks_for(client, states):
    every = listed(client, "", states=states)
    assert sorted(every) == ["a_1", "a_1", "ab1"]
    assert listed(client, "portfolio_id = a_1", states=states) == ["a_1", "a_1"]
    assert listed(client, f'capacity_plan_id = "{PLAN}" AND as_of_date = {AS_OF}', states=states) == every
    for nothing in ("capacity_plan_id = other", "as_of_date = 2020-01-01", "portfolio_id = a", "portfolio_id = A_1"):
        assert listed(client, nothing, states=states) == []


def test_a_token_of_another_filter_is_refused(client):
    request = ranking_service_pb2.ListRankingsRequest
    token = client.rankings.ListRankings(request(page_size=1, filter="portfolio_id = a_1"), timeout=WAIT).next_page_token
    with pytest.raises(grpc.RpcError) as caught:
        client.rankings.ListRankings(request(page_size=1, page_token=token), timeout=WAIT)
    assert refusal(caught.value)[0] is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("states", [[], [ranking_pb2.RANKING_STATE_SUCCEEDED]])
def test_rankings_come_in_the_order_asked_for(client, states):
    assert listed(client, "", "portfolio_id", states=states) == ["a_1", "a_1", "ab1"]
    assert listed(client, "", "portfolio_id desc", states=states) == ["ab1", "a_1", "a_1"]
    newest = listed(client, "", states=states)
    assert listed(client, "as_of_date >= 2026-01-01", "create_time desc", states=states) == newest
    assert listed(client, "", "create_time asc", states=states) == newest[::-1]
    for same in ("as_of_date", "capacity_plan_id desc"):
        assert sorted(listed(client, "", same, states=states)) == sorted(newest)
    assert listed(client, "state = SUCCEEDED", "portfolio_id desc") == ["ab1", "a_1", "a_1"]
    assert listed(client, "state = FAILED") == []


def test_portfolios_and_findings_are_filtered_and_ordered(client):
    request = portfolio_service_pb2.ListPortfoliosRequest

    def ids(**asked):
        pages = paged(client.portfolios.ListPortfolios, lambda token: request(page_token=token, **asked))
        return [portfolio.portfolio_id for page in pages for portfolio in page.portfolios]

    assert ids() == ["a_1", "ab1"]
    assert ids(order_by="portfolio_id desc") == ["ab1", "a_1"]
    assert ids(filter=f"as_of_date <= {AS_OF} AND currency_code = TWD", order_by="as_of_date desc") == ["ab1", "a_1"]
    assert ids(filter=f"as_of_date < {AS_OF}") == []
    asked = portfolio_service_pb2.ListQuarantinedAccountsRequest(portfolio_id="a_1")
    every = client.portfolios.ListQuarantinedAccounts(asked, timeout=WAIT).quarantined_accounts
    assert len(every) == 1
    for rule, count in ((every[0].rule, 1), ("REQUIRED", 0)):
        asked.filter = f"rule = {rule} AND field = {every[0].field}"
        assert len(client.portfolios.ListQuarantinedAccounts(asked, timeout=WAIT).quarantined_accounts) == count


def test_lists_in_memory_page_by_the_same_rules(client):
    versions = capacity_service_pb2.ListCapacityPlanVersionsRequest
    stub = client.plans
    plan = stub.GetCapacityPlan(capacity_service_pb2.GetCapacityPlanRequest(plan_id=PLAN), timeout=WAIT).capacity_plan
    for day in (date(2027, 3, 1), date(2027, 2, 1)):
        plan.effective_from.CopyFrom(write_date(day))
        asked = capacity_service_pb2.UpdateCapacityPlanRequest(capacity_plan=plan, etag=plan.etag)
        plan = stub.UpdateCapacityPlan(asked, timeout=WAIT).capacity_plan

    def numbers(**asked):
        pages = paged(stub.ListCapacityPlanVersions, lambda token: versions(plan_id=PLAN, page_token=token, **asked))
        return [each.version for page in pages for each in page.capacity_plans]

    assert numbers() == [3, 2, 1]
    assert numbers(order_by="version") == [1, 2, 3]
    assert numbers(order_by="effective_from desc") == [2, 3, 1]
    assert numbers(filter="effective_from > 2027-01-01 AND taken_back = false") == [3, 2]
    assert numbers(filter="version = 9") == []


LISTS = [
    method
    for file in CONTRACT
    for service in file.services_by_name.values()
    for method in service.methods
    if {"filter", "order_by"} & set(method.input_type.fields_by_name)
]


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.name)
def test_every_list_tells_its_fields_in_the_contract_and_in_refusals(method, client):
    """The comment of the contract and the remedy of a refusal name the same fields."""
    text = (ROOT / "proto" / method.input_type.file.name).read_text()
    body = re.search(rf"message {method.input_type.name} \{{(.*?)\n\}}", text, re.DOTALL)[1]
    told = {
        "filter": re.search(r"Fields: ([a-z_, ]+)\.", body),
        "order_by": re.search(r"or a field and `desc`: ([a-z_, ]+)\.", body),
    }
    call = client.channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    known = {
        "portfolio_id": "a_1",
        "plan_id": PLAN,
        "set_id": "shipped-values",
        "rule_table_id": "shipped-rules",
        "kind": "outcome",
    }
    fields = method.input_type.fields_by_name
    named = {name: value for name, value in known.items() if name in fields and method.name != "ListMaturities"}
    for field in {"filter", "order_by"} & set(fields):
        request = GetMessageClass(method.input_type)(**named, **{field: "no_such = 1" if field == "filter" else "no_such"})
        with pytest.raises(grpc.RpcError) as caught:
            call(request, timeout=WAIT)
        violations = from_status(refusal(caught.value)[2]).violations
        assert [violation.field for violation in violations] == [field]
        assert told[field][1] in violations[0].remedy


@pytest.mark.parametrize("text", ["no_such", "as_of_date down", "as_of_date, portfolio_id", "as_of_date;", "desc"])
def test_what_is_no_order_is_refused(text):
    with pytest.raises(CollectionsError) as caught:
        read_order(text, ["as_of_date", "portfolio_id"])
    assert [violation.field for violation in caught.value.violations] == ["order_by"]
