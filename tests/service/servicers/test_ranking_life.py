"""The life of rankings through a real server: listed by state, cancelled, resumed after a lost server, and told as events."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from collections_opt.api.v1 import ranking_pb2, ranking_service_pb2
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters, bundled_plan, dump
from collections_opt.application.workspace import open_workspace
from collections_opt.core.ranking.ordering import Ordering
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, import_bundled
from tests.support.serving.calls import calling
from tests.support.serving.edge import refusal

MODELS = Path(__file__).parents[3] / "models"
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
WAIT = 60.0
pb = ranking_service_pb2


def command_for(number):
    request_id = str(uuid.UUID(int=number, version=4))
    plan_id = bundled_plan().plan_id
    return RankingCommand(request_id, BUNDLED_PORTFOLIO_ID, plan_id, 1, Ordering.BALANCE, bundled_parameters())


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = open_workspace(tmp_path_factory.mktemp("data"), MODELS, lambda: NOW)
    import_bundled(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(workspace):
    with calling(workspace) as stubs:
        yield stubs


def begun(workspace, number, worker):
    """Record a ranking that a worker claimed."""
    command = command_for(number)
    ledger = workspace.ledger
    given = (command.ranking_id, command.request_id, command.payload_digest, command.portfolio_id)
    ledger.requests.begin(*given, dump(replace(command, plan_version=1)), NOW)
    ledger.claims.claim(command.ranking_id, worker, lambda _: False, NOW)
    return command.ranking_id


def get(client, ranking_id):
    return client.rankings.GetRanking(pb.GetRankingRequest(ranking_id=ranking_id), timeout=WAIT).ranking


def listed(client, *states, size=2):
    found, token = [], ""
    while True:
        request = pb.ListRankingsRequest(page_size=size, page_token=token, states=states)
        page = client.rankings.ListRankings(request, timeout=WAIT)
        found += page.rankings
        token = page.next_page_token
        if not token:
            return found


def test_a_lost_ranking_is_running_until_it_is_cancelled_and_events_tell_it(workspace, client):
    workspace.ledger.workers.join("elsewhere")
    ids = [begun(workspace, number, "elsewhere") for number in (1, 2, 3)]
    assert {r.ranking_id for r in listed(client, ranking_pb2.RANKING_STATE_RUNNING)} == set(ids)
    assert get(client, ids[0]).state == ranking_pb2.RANKING_STATE_RUNNING
    cancelled = client.rankings.CancelRanking(pb.CancelRankingRequest(ranking_id=ids[0]), timeout=WAIT).ranking
    assert cancelled.state == ranking_pb2.RANKING_STATE_ABANDONED
    assert cancelled.state_reason == "cancelled by its caller"
    assert cancelled == get(client, ids[0]) == listed(client, ranking_pb2.RANKING_STATE_ABANDONED)[0]
    with pytest.raises(grpc.RpcError) as caught:
        next(client.rankings.ExportRanking(pb.ExportRankingRequest(ranking_id=ids[0]), timeout=WAIT))
    assert refusal(caught.value)[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "RANKING_ABANDONED")
    events = client.rankings.ReadRankingEvents(pb.ReadRankingEventsRequest(), timeout=WAIT).events
    assert [(e.sequence, e.ranking_id, e.state) for e in events] == [(1, ids[0], ranking_pb2.RANKING_STATE_ABANDONED)]
    workspace.ledger.workers.leave()
    recovered = workspace.rankings.recover()
    assert {r.request.ranking_id for r in recovered} == set(ids[1:])
    for ranking_id in ids[1:]:
        watched = list(client.rankings.WatchRanking(pb.WatchRankingRequest(ranking_id=ranking_id), timeout=WAIT))
        assert watched[-1].ranking.state == ranking_pb2.RANKING_STATE_SUCCEEDED
    again = client.rankings.CancelRanking(pb.CancelRankingRequest(ranking_id=ids[1]), timeout=WAIT).ranking
    assert again == get(client, ids[1])
    both = listed(client, ranking_pb2.RANKING_STATE_SUCCEEDED, ranking_pb2.RANKING_STATE_ABANDONED, size=1)
    assert {r.ranking_id for r in both} == set(ids)
    after = client.rankings.ReadRankingEvents(pb.ReadRankingEventsRequest(after_sequence=1), timeout=WAIT).events
    assert [(e.sequence, e.state) for e in after] == [(n, ranking_pb2.RANKING_STATE_SUCCEEDED) for n in (2, 3)]
    assert {e.record_digest for e in after} == {get(client, i).record.record_digest for i in ids[1:]}


@pytest.mark.parametrize(
    ("call", "request_message", "reason"),
    [
        ("CancelRanking", pb.CancelRankingRequest(ranking_id="rk-none"), "NOT_FOUND"),
        ("ReadRankingEvents", pb.ReadRankingEventsRequest(after_sequence=-1), "INVALID_ARGUMENT"),
        ("ListRankings", pb.ListRankingsRequest(states=[0]), "INVALID_ARGUMENT"),
        ("ListRankings", pb.ListRankingsRequest(states=[1], page_token="bm9uZQ"), "PAGE_TOKEN_INVALID"),
    ],
)
def test_what_cannot_be_answered_is_refused(client, call, request_message, reason):
    with pytest.raises(grpc.RpcError) as caught:
        getattr(client.rankings, call)(request_message, timeout=WAIT)
    assert refusal(caught.value)[1] == reason
