"""Waiting for a ranking: a watch that breaks is opened again, what ended badly is told, and the wait itself ends."""

from __future__ import annotations

import uuid

import pytest

from collections_opt.api.v1 import ranking_pb2, ranking_service_pb2
from collections_opt.client import rankings as under_test
from collections_opt.client.rankings import make_ranking
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.service.access.methods import CallClass
from collections_opt.service.server.handlers import Service
from collections_opt.wire.status import to_status
from tests.support.serving.servers import served

REQUEST = ranking_service_pb2.CreateRankingRequest(
    request_id=str(uuid.UUID(int=1)), portfolio_id="p", capacity_plan_id="desk", ordering="ORDERING_EXPECTED_VALUE"
)
RANKINGS = ranking_service_pb2.DESCRIPTOR.services_by_name["RankingService"]


class Rankings:
    """Starts a ranking and shows it in the states a test lists; an error in the list breaks the watch."""

    def __init__(self, *shown):
        self.shown = list(shown)
        self.created = 0

    def __getattr__(self, name):
        return lambda _request, _context: None

    def create_ranking(self, request, context):
        self.created += 1
        return ranking_service_pb2.CreateRankingResponse(ranking=ranking_of("RUNNING"))

    def watch_ranking(self, request, context):
        while self.shown:
            one = self.shown.pop(0)
            if isinstance(one, CollectionsError):
                raise one
            yield ranking_service_pb2.WatchRankingResponse(ranking=one)
            if one.state != ranking_pb2.RANKING_STATE_RUNNING:
                return


def ranking_of(state, error=None):
    number = ranking_pb2.RankingState.Value(f"RANKING_STATE_{state}")
    status = to_status(error) if error else None
    return ranking_pb2.Ranking(ranking_id="rk", state=number, error=status)


def wait_for(rankings):
    classes = dict.fromkeys(RANKINGS.methods_by_name, CallClass.READ)
    with served([Service(RANKINGS, rankings, classes)]) as client:
        return make_ranking(client, REQUEST)


@pytest.mark.parametrize("broken", [ranking_of("RUNNING"), refuse(Reason.NOT_FOUND, "ranking_id", "is unknown.")])
def test_a_watch_that_ended_early_or_broke_is_opened_again(broken):
    rankings = Rankings(broken, ranking_of("SUCCEEDED"))
    assert wait_for(rankings).state == ranking_pb2.RANKING_STATE_SUCCEEDED
    assert rankings.created == (2 if isinstance(broken, CollectionsError) else 1)


@pytest.mark.parametrize("state", ["FAILED", "ABANDONED"])
def test_what_a_ranking_ended_of_is_raised(state):
    error = refuse(Reason.VALUE_OVERFLOW, "balance_minor", "is too large.", "Check the unit.")
    with pytest.raises(CollectionsError) as caught:
        wait_for(Rankings(ranking_of(state, error)))
    assert (caught.value.reason, caught.value.violations) == (error.reason, error.violations)


def test_any_other_refusal_of_a_watch_is_told_at_once():
    rankings = Rankings(refuse(Reason.INTEGRITY_FAILURE, "entries", "differ."))
    with pytest.raises(CollectionsError) as caught:
        wait_for(rankings)
    assert (caught.value.reason, rankings.created) == (Reason.INTEGRITY_FAILURE, 1)


def test_a_ranking_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(under_test, "MAX_WATCHES", 3)
    with pytest.raises(CollectionsError) as caught:
        wait_for(Rankings())
    assert caught.value.reason is Reason.OUTCOME_UNKNOWN
    assert "rk is still running" in caught.value.message
