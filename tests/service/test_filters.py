"""Filters of lists: what they ask for is what is listed, page by page; anything else is refused where it stands."""

from __future__ import annotations

import uuid
from contextlib import closing
from datetime import date

import grpc
import pytest

from collections_opt.api.v1 import ranking_pb2, ranking_service_pb2
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.servicers.filtering import read_day, read_filter
from tests.support.databases import made_database
from tests.support.serving.calls import AS_OF, MODELS, NOW, PLAN, WAIT, calling, columns, import_requests, made
from tests.support.serving.edge import refusal

FIELDS = {"portfolio_id": str, "as_of_date": read_day}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ('portfolio_id = "a b"', {"portfolio_id": "a b"}),
        ("portfolio_id=a-1", {"portfolio_id": "a-1"}),
        (
            ' portfolio_id = AND AND as_of_date = "2026-11-24" ',
            {"portfolio_id": "AND", "as_of_date": date(2026, 11, 24)},
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


def listed(client, text, **more):
    found, token = [], ""
    while True:
        request = ranking_service_pb2.ListRankingsRequest(filter=text, page_size=1, page_token=token, **more)
        page = client.rankings.ListRankings(request, timeout=WAIT)
        found += [ranking.inputs.portfolio_id for ranking in page.rankings]
        token = page.next_page_token
        if not token:
            return found


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
