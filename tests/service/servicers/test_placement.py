"""PlaceAccounts through a real server: the decision of the ranking, advice for new accounts, refusals by field."""

from __future__ import annotations

import grpc
import pytest

from collections_opt.api.v1 import account_pb2, placement_pb2, ranking_pb2
from collections_opt.wire.common import write_date
from tests.support.serving.calls import AS_OF, WAIT, account, fields_of, made, place_request, refused, score_request
from tests.support.serving.edge import refusal


def test_a_placement_names_what_it_used_and_agrees_with_the_score(client, ranking):
    rich, blocked = (
        account("z-rich", balance_minor_units=90_000_000, arrears_minor_units=9_000_000),
        account("a-blocked", block_flags=account_pb2.BlockFlags(cease=True)),
    )
    answer = client.rankings.PlaceAccounts(place_request(ranking, rich, blocked), timeout=WAIT)
    assert (answer.ranking_id, answer.record_digest) == (ranking.ranking_id, ranking.record.record_digest)
    assert answer.inputs == ranking.inputs
    prices = {q.queue_id: q.price_per_minute_minor_units for q in ranking.queues}
    assert {q.queue_id: q.price_per_minute_minor_units for q in answer.queues} == prices
    assert [q.used_minutes for q in answer.queues] == [q.used_minutes for q in ranking.queues]
    first, second = answer.accounts
    assert (first.account_id, second.account_id) == ("z-rich", "a-blocked")
    assert first.disposition == ranking_pb2.DISPOSITION_ASSIGNED
    assert first.position == 1
    assert first.basis == placement_pb2.PLACEMENT_BASIS_PRICES
    assert not first.HasField("recorded")
    score = client.scoring.ScoreAccounts(score_request(rich), timeout=WAIT).accounts[0]
    for option, queue in zip(first.options, score.queues, strict=True):
        assert option.increment_minor_units == queue.increment_minor_units
        assert option.HasField("blocking_rule") != queue.eligible
        assert option.call_window == queue.call_window
        if queue.eligible:
            surplus = option.increment_minor_units - prices[option.queue_id] * option.handling_minutes
            assert option.surplus_minor_units == pytest.approx(surplus, rel=1e-9, abs=1e-3)
    assert first.surplus_minor_units == max(o.surplus_minor_units for o in first.options if not o.HasField("blocking_rule"))
    assert second.disposition == ranking_pb2.DISPOSITION_INELIGIBLE
    assert {option.blocking_rule.rule_id for option in second.options} == {"cease"}
    assert second.sentence.startswith("Not worked: no queue may work it. cease: ")
    assert (second.queue_id, second.position, second.best_queue_id) == ("", 0, "")
    placed = {queue.queue_id: (queue.placed_count, queue.placed_minutes) for queue in answer.queues}
    assert placed[first.queue_id] == (1, pytest.approx(first.handling_minutes))


def test_an_account_that_is_not_worth_its_price_says_what_would_change_that(client, ranking):
    small = account("small", balance_minor_units=30_000, arrears_minor_units=3_000)
    answer = client.rankings.PlaceAccounts(place_request(ranking, small), timeout=WAIT).accounts[0]
    assert answer.queue_id == ""
    needed = [o.least_increment_minor_units - o.increment_minor_units for o in answer.options if not o.HasField("blocking_rule")]
    assert answer.needed_increment_minor_units == min(needed) > 0
    assert answer.sentence.startswith("Not worked")


def test_a_full_queue_is_said_to_be_full(client, ranking):
    many = [account(f"n{i:03d}", balance_minor_units=9_000_000 + i, arrears_minor_units=900_000) for i in range(200)]
    answer = client.rankings.PlaceAccounts(place_request(ranking, *many), timeout=WAIT)
    free = {q.queue_id: q.capacity_minutes - q.used_minutes for q in ranking.queues}
    for placed in answer.accounts:
        if placed.queue_id:
            assert placed.queue_full == (placed.handling_minutes > free[placed.queue_id] + 1e-9)
    assert sum(q.placed_count for q in answer.queues) == sum(bool(a.queue_id) for a in answer.accounts)


def test_bad_placements_are_refused_by_field(client, ranking):
    call = client.rankings.PlaceAccounts
    bad = [
        (place_request(ranking), "accounts", "LIMIT_EXCEEDED"),
        (
            place_request(ranking, account("a"), account("b", balance_minor_units=2**50)),
            "accounts[1].balance_minor_units",
            "INVALID_ARGUMENT",
        ),
        (place_request(ranking, account("a"), currency_code="USD"), "currency_code", "CURRENCY_MISMATCH"),
        (place_request(ranking, account("a"), as_of_date=write_date(AS_OF.replace(year=2020))), "as_of_date", "INVALID_ARGUMENT"),
        (place_request(ranking, account("a"), as_of_date=None), "as_of_date", "INVALID_ARGUMENT"),
        (
            placement_pb2.PlaceAccountsRequest(
                ranking_id="rk-none", accounts=[account("a")], as_of_date=write_date(AS_OF), time_zone="UTC", currency_code="TWD"
            ),
            "ranking_id",
            "NOT_FOUND",
        ),
    ]
    for request, field, reason in bad:
        error = refused(call, request)
        assert (fields_of(error), refusal(error)[1]) == ({field}, reason)
    raw_order = made(client, ordering=ranking_pb2.ORDERING_RANDOM, request_id="0b9f3a52-6f0e-4b7e-8e57-0d4f1f6a7c12")
    error = refused(call, place_request(raw_order, account("a")))
    assert (error.code(), fields_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, {"ranking_id"})
