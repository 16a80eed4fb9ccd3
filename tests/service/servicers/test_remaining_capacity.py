"""A re-solve at noon over the API: the rest of the day on the minutes that are left, named for what it was derived from."""

from __future__ import annotations

import uuid

import pytest

from collections_opt.api.v1 import evidence_pb2, ranking_service_pb2
from collections_opt.api.v1 import worklist_service_pb2 as pb
from tests.support.serving.calls import WAIT, create_request, made, refused
from tests.support.serving.edge import refusal
from tests.support.serving.requests.worklists import HOLDER, lease_request, told_of


def minutes(ranking):
    return {queue.queue_id: queue.capacity_minutes for queue in ranking.queues}


def test_what_remains_of_a_day_is_decided_without_what_was_worked_and_is_held(client, ranking):
    queue = max(ranking.queues, key=lambda one: one.used_minutes).queue_id
    asked = lease_request(ranking.ranking_id, queue, uuid.uuid4())
    asked.max_account_count, asked.languages[:], asked.skills[:] = 2, [], []
    worked, held = client.worklists.LeaseAccounts(asked, timeout=WAIT).leases
    told = [event for event in told_of(worked) if event.WhichOneof("fact") == "contact"]
    told[0].contact.queue_id, told[0].contact.handling_seconds = queue, 600
    client.worklists.CompleteLease(pb.CompleteLeaseRequest(lease_id=worked.lease_id, holder=HOLDER, events=told), timeout=WAIT)

    noon = made(client, request_id=str(uuid.UUID(int=8, version=4)), remaining_capacity=True)
    derived = noon.inputs.derived_from
    assert (derived.portfolio_id, derived.worked_ranking_id) == ("book", ranking.ranking_id)
    assert derived.spent_seconds[queue] == 600
    assert derived.committed_seconds[queue] == held.handling_seconds
    assert minutes(noon)[queue] == pytest.approx(minutes(ranking)[queue] - (600 + held.handling_seconds) / 60)
    assert sum(derived.left_out_counts.values()) >= 2
    page = ranking_service_pb2.ListWorklistRequest(ranking_id=noon.ranking_id, queue_id=queue, page_size=1_000)
    listed = {entry.account_id for entry in client.rankings.ListWorklist(page, timeout=WAIT).entries}
    assert not {worked.account_id, held.account_id} & listed

    in_force = client.rankings.GetRankingInForce(ranking_service_pb2.GetRankingInForceRequest(), timeout=WAIT).ranking
    assert in_force.ranking_id == noon.ranking_id
    following = lease_request("", queue, uuid.uuid4())
    following.max_account_count, following.languages[:], following.skills[:] = 1, [], []
    answer = client.worklists.LeaseAccounts(following, timeout=WAIT)  # the desk goes on with it
    assert answer.ranking_id == noon.ranking_id
    assert {lease.account_id for lease in answer.leases} <= listed
    verify = evidence_pb2.VerifyRankingRequest(ranking_id=noon.ranking_id)
    verdict = client.rankings.VerifyRanking(verify, timeout=WAIT).verdict
    assert verdict.strength == evidence_pb2.EVIDENCE_STRENGTH_CERTIFICATE, verdict


def test_without_a_ranking_of_today_no_day_has_a_rest(client, ranking):
    asked = create_request(request_id=str(uuid.UUID(int=9, version=4)), remaining_capacity=True, portfolio_id="absent")
    assert refusal(refused(client.rankings.CreateRanking, asked))[1] in ("NOT_FOUND", "RANKING_NOT_IN_FORCE")
