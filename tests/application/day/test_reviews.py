"""Human reviews: only a person's, only of what was decided, once, kept as events are, and deciding nothing."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from collections_opt.api.v1 import actor_pb2, event_pb2
from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.cli.morning import record_events
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.client.day import account_events
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.day.events import Event, EventKind, ReviewedPart, ReviewOutcome
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.scopes import Scope, seeing
from collections_opt.ledger.log.log import LogKind
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from tests.support.day.day_worlds import CALLS, NOON, Clock, asked, call, open_world, rank_world

RITA = Actor("rita", "AUDITOR", "", "issuer")
REASON = "He said that he had been ill; the facts of the file are right."


def review(number, account="a001", at=NOON, **facts):
    given = {"reviewed": ReviewedPart.DECISION.value, "review_outcome": ReviewOutcome.UPHELD.value, "note": REASON, **facts}
    return Event(f"review-{number}", EventKind.REVIEW, at, account, **given)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request, tmp_path):
    """Yield a workspace with a ranking, the ranking's id and the clock."""
    clock = Clock()
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    with closing(open_world(tmp_path, clock, url)) as workspace:
        yield workspace, rank_world(workspace), clock


def refused(reviews, told, reviewer=RITA, **more):
    with pytest.raises(CollectionsError) as caught:
        reviews.record(told, reviewer, **more)
    return caught.value.reason, [violation.field for violation in caught.value.violations]


def listed(workspace, ranking_id):
    every = workspace.day.worklists.page(ranking_id, CALLS, 0, 100, include_removed=True)
    return [(one.account_id, one.removed, one.rule_id, one.event) for one in every]


def test_a_review_is_an_event_of_whoever_called_and_changes_no_list(world):
    workspace, ranking_id, clock = world
    day = workspace.day
    lease = day.dispatch.lease(asked(ranking_id, count=1))[0]
    before = listed(workspace, ranking_id)
    told = [
        replace(review(1, ranking_id=ranking_id), reviewer="somebody else"),
        review(2, lease.account_id, lease_id=lease.lease.lease_id, review_outcome="CHANGED", reviewed="CONTACT"),
    ]
    day.reviews.record(told, RITA, validate_only=True)
    assert day.events.after(0, 10) == []
    assert [one.repeated for one in day.reviews.record(told, RITA)] == [False, False]
    assert [one.repeated for one in day.reviews.record(told, RITA)] == [True, True]
    kept = [one.event for one in day.events.after(0, 10)]
    assert {(one.reviewer, one.reviewer_role, one.reviewer_issuer, one.note) for one in kept} == {
        ("rita", "AUDITOR", "issuer", REASON)
    }
    assert listed(workspace, ranking_id) == before
    assert list(workspace.ledger.log.entries(LogKind.EVENTS))[-1].facts["actor"]["authenticated_name"] == "rita"
    assert refused(day.reviews, told[:1], Actor("otto", "AUDITOR")) == (Reason.ALREADY_EXISTS, ["events[0].event_id"])
    clock.forward(minutes=1)
    flag = Event("flag", EventKind.FLAG, clock(), told[0].account_id, flag="dispute", is_set=True)
    day.events.record([flag], UNKNOWN)
    assert listed(workspace, ranking_id) != before  # what does change a list is seen here
    assert not workspace.evidence.verification.verify_log().broken


def test_only_people_review_and_only_what_was_decided(world):
    workspace, ranking_id, _ = world
    reviews = workspace.day.reviews
    lease = workspace.day.dispatch.lease(asked(ranking_id, count=1))[0]
    other = "a002" if lease.account_id != "a002" else "a003"
    cases = [
        ([review(1, ranking_id="unknown")], Reason.NOT_FOUND, "reviews[0].review.ranking_id"),
        ([review(1, lease_id="unknown")], Reason.NOT_FOUND, "reviews[0].review.lease_id"),
        ([review(1, other, lease_id=lease.lease.lease_id)], Reason.NOT_FOUND, "reviews[0].review.lease_id"),
        ([review(1, "stranger", ranking_id=ranking_id)], Reason.NOT_FOUND, "reviews[0].account_id"),
        ([review(1, at=NOON - timedelta(hours=1), ranking_id=ranking_id)], Reason.INVALID_ARGUMENT, "reviews[0].occurred_at"),
        ([review(1)], Reason.INVALID_ARGUMENT, "reviews[0].review.lease_id"),
        ([review(1, ranking_id=ranking_id, lease_id="x")], Reason.INVALID_ARGUMENT, "reviews[0].review.lease_id"),
        ([review(1, ranking_id=ranking_id, note=" ")], Reason.INVALID_ARGUMENT, "reviews[0].review.note"),
        ([review(1, ranking_id=ranking_id, note="a\u202eb")], Reason.INVALID_ARGUMENT, "reviews[0].review.note"),
        ([review(1, ranking_id=ranking_id, reviewed="MOOD")], Reason.INVALID_ARGUMENT, "reviews[0].review.reviewed"),
    ]
    for told, reason, field in cases:
        assert refused(reviews, told) == refused(reviews, told, validate_only=True) == (reason, [field]), told
    good = [review(1, ranking_id=ranking_id)]
    for nobody in (UNKNOWN, Actor("nightly", "PLATFORM")):
        assert refused(reviews, good, nobody) == (Reason.INVALID_ARGUMENT, ["actor"])
    with seeing(Scope(portfolios=("other",))):
        assert refused(reviews, good) == (Reason.PERMISSION_DENIED, ["reviews[0].account_id"])
    for record in (
        lambda: workspace.day.events.record(good, RITA),
        lambda: workspace.day.dispatch.complete(
            lease.lease.lease_id, "agent-1", [call(lease.account_id, NOON), review(1, lease.account_id, ranking_id=ranking_id)]
        ),
    ):
        with pytest.raises(CollectionsError) as caught:
            record()
        assert caught.value.violations[0].field.endswith("].review")
    assert workspace.day.events.after(0, 10) == []


def test_a_review_goes_with_its_account_and_one_of_an_erased_account_is_refused(world):
    workspace, ranking_id, clock = world
    workspace.day.reviews.record([review(1, ranking_id=ranking_id)], RITA)
    clock.forward(days=3 * 366)
    workspace.evidence.erasures.erase(["a001"], ErasureRequest("asked"))
    assert [one.event for one in workspace.day.events.after(0, 10)] == [None]
    assert refused(workspace.day.reviews, [review(2, ranking_id=ranking_id)]) == (Reason.NOT_FOUND, ["reviews[0].account_id"])
    assert not workspace.evidence.verification.verify_log().broken


def test_a_file_of_reviews_is_recorded_as_of_whoever_tells_it(tmp_path, capsys, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(record_events, "datetime", SimpleNamespace(now=lambda _zone: clock()))
    with closing(open_world(tmp_path / "world", clock)) as workspace:
        ranking_id = rank_world(workspace)
        rows = [
            "event_id,kind,occurred_at,account_id,ranking_id,reviewed,review_outcome,note,amount_minor_units",
            f"v,REVIEW,{NOON.isoformat()},a001,{ranking_id},SCORE,CHANGED,Wrong.,",
            f"p,PAYMENT,{NOON.isoformat()},a001,,,,,500",
        ]
        file = tmp_path / "told.csv"
        file.write_text("\n".join(rows), "utf-8")
        built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True))
        built.start()
        where = Connection(f"127.0.0.1:{built.port}", insecure_loopback=True, actor="rita", role="AUDITOR")
        capsys.readouterr()
        product = SimpleNamespace(connect=lambda: connect(where))
        for recorded in (2, 0):
            record_events.main(product, file, as_json=True)
            answer = json.loads(capsys.readouterr().out)
            assert (answer["recorded"], answer["repeated"], answer["last_sequence"]) == (recorded, 2 - recorded, 2)
        with connect(where) as client:
            (told,) = (one.event for one in account_events(client, "a001") if one.event.WhichOneof("fact") == "review")
        built.stop(0)
    assert (told.review.reviewer.name, told.review.reviewer.role) == ("rita", actor_pb2.ACTOR_ROLE_AUDITOR)
    assert (told.review.ranking_id, told.review.reason) == (ranking_id, "Wrong.")
    assert (told.review.part, told.review.outcome) == (event_pb2.REVIEWED_PART_SCORE, event_pb2.REVIEW_OUTCOME_CHANGED)
