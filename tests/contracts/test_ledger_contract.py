"""What every ledger keeps, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log.chain import GENESIS
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.records import ModelRecord, RankingState, RequestKey
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, PORTFOLIO, add, add_ranking, append_state

State = RankingState


def reason_of(call):
    """Return why a call is refused."""
    with pytest.raises(CollectionsError) as caught:
        call()
    return caught.value.reason


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    opened.portfolios.add(PORTFOLIO)
    yield opened
    opened.close()


def test_portfolios_are_stored_once_and_listed_by_id(ledger):
    ledger.portfolios.add(replace(PORTFOLIO, portfolio_id="p0"))
    assert ledger.portfolios.add(PORTFOLIO) == PORTFOLIO == ledger.portfolios.get("p1")
    with pytest.raises(CollectionsError) as caught:
        ledger.portfolios.add(replace(PORTFOLIO, digest="other"))
    assert caught.value.reason is Reason.ALREADY_EXISTS
    assert [p.portfolio_id for p in ledger.portfolios.after("", 10)] == ["p0", "p1"]
    assert [p.portfolio_id for p in ledger.portfolios.after("p0", 10)] == ["p1"]


def test_plans_are_versioned_and_guarded_by_etag(ledger):
    first = ledger.plans.add("desk", date(2026, 1, 1), "{}", None, NOW)
    second = ledger.plans.add("desk", date(2026, 2, 1), '{"a":1}', first.etag, NOW)
    assert (first.version, second.version) == (1, 2)
    assert ledger.plans.get("desk") == second
    assert ledger.plans.get("desk", 1) == first
    assert ledger.plans.after("", 5) == [second]
    for etag, reason in ((first.etag, Reason.ETAG_MISMATCH), (None, Reason.ALREADY_EXISTS)):
        with pytest.raises(CollectionsError) as caught:
            ledger.plans.add("desk", date(2026, 3, 1), "{}", etag, NOW)
        assert caught.value.reason is reason
    with pytest.raises(CollectionsError) as caught:
        ledger.plans.add("nowhere", date(2026, 3, 1), "{}", "etag", NOW)
    assert caught.value.reason is Reason.NOT_FOUND


def test_one_request_makes_one_ranking(ledger):
    first = add(ledger)
    assert add(ledger) == first == ledger.rankings.find_request("r1", "x") == ledger.rankings.get(first.ranking_id)
    for attempt in (lambda: add(ledger, payload="other"), lambda: ledger.rankings.find_request("r1", "other")):
        with pytest.raises(CollectionsError) as caught:
            attempt()
        assert caught.value.reason is Reason.REQUEST_ID_REUSED
    assert len(ledger.rankings.before(None, 10)) == 1


def test_worklists_are_paged_in_order(ledger):
    ranking = add(ledger)
    page = ledger.worklists.page(ranking.ranking_id, 0, 0, 1)
    rest = ledger.worklists.page(ranking.ranking_id, 0, page[-1].priority, 10)
    assert [e.account_id for e in page + rest] == ["0", "1"]
    assert [e.account_id for e in ledger.worklists.page(ranking.ranking_id, 1, 0, 10)] == ["3"]


def test_rankings_are_chained_and_survive_reopening(ledger, database_url, tmp_path):
    first, second = add(ledger, "r1"), add(ledger, "r2")
    assert (first.previous_digest, second.previous_digest) == (GENESIS, first.record_digest)
    ledger.close()
    again = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    assert [r.seq for r in again.rankings.before(None, 10)] == [2, 1]
    assert [r.seq for r in again.rankings.before(2, 10)] == [1]
    assert again.chain.verify() == []
    again.close()


def test_records_hold_no_floats(ledger):
    with pytest.raises(TypeError, match="no floats"):
        add_ranking(ledger, "x", "r9", "x", "p1", {"a": [{"b": 0.5}]}, entries_of([0]), NOW)
    assert ledger.rankings.before(None, 1) == []


def test_a_failure_within_the_transaction_leaves_nothing(ledger):
    broken = replace(entries_of([0, 0]), account_id=np.array([b"a", b"\xff"]))
    with pytest.raises(UnicodeDecodeError):  # as its rows are inserted
        add_ranking(ledger, "half", "r5", "x", "p1", {}, broken, NOW)
    assert ledger.rankings.find_request("r5", "x") is None


def test_two_accounts_at_one_place_are_refused(ledger):
    broken = replace(entries_of([0, 1, 1]), priority=np.array([1, 4, 4], dtype=np.int32))
    with pytest.raises(CollectionsError, match="place 4 of queue 1 is given to two accounts"):
        add_ranking(ledger, "half", "r5", "x", "p1", {}, broken, NOW)
    assert ledger.rankings.find_request("r5", "x") is None


def test_a_long_worklist_is_read_in_order_page_by_page(ledger):
    entries = entries_of([0] * 700)
    entries = replace(entries, priority=np.random.default_rng(1).permutation(700).astype(np.int32) + 1)
    add_ranking(ledger, "long", "r5", "x", "p1", {}, entries, NOW)
    read = [entry.priority for after in range(0, 700, 90) for entry in ledger.worklists.page("long", 0, after, 90)]
    assert read == list(range(1, 701))


def test_portfolios_that_lose_rows_are_refused(ledger):
    assert reason_of(lambda: ledger.portfolios.add(replace(PORTFOLIO, portfolio_id="p2", accepted_count=3))) is (
        Reason.INVALID_ARGUMENT
    )


def test_versions_of_a_plan_are_read_newest_first(ledger):
    first = ledger.plans.add("desk", date(2026, 1, 1), "{}", None, NOW)
    second = ledger.plans.add("desk", date(2026, 3, 1), "{}", first.etag, NOW)
    third = ledger.plans.add("desk", date(2026, 2, 1), "{}", second.etag, NOW)
    assert ledger.plans.get("desk") == third
    assert reason_of(lambda: ledger.plans.get("nowhere")) is Reason.NOT_FOUND
    assert ledger.plans.versions("desk", None, 2) == [third, second]
    assert ledger.plans.versions("desk", 2, 2) == [first]


def test_a_retried_plan_gets_its_own_version_again(ledger):
    key = RequestKey("k1", "add_plan", "x")
    first = ledger.plans.add("desk", date(2026, 1, 1), "{}", None, NOW, key)
    ledger.plans.add("desk", date(2026, 2, 1), "{}", first.etag, NOW)
    assert ledger.plans.add("desk", date(2026, 1, 1), "{}", None, NOW, key) == first
    assert len(ledger.plans.versions("desk", None, 9)) == 2
    other = replace(key, payload_digest="y")
    assert reason_of(lambda: ledger.plans.add("desk", date(2026, 1, 1), "{}", None, NOW, other)) is Reason.REQUEST_ID_REUSED


def test_a_refused_plan_keeps_no_answer(ledger):
    key = RequestKey("k1", "add_plan", "x")
    assert reason_of(lambda: ledger.plans.add("desk", date(2026, 1, 1), "{}", "etag", NOW, key)) is Reason.NOT_FOUND
    assert ledger.plans.add("desk", date(2026, 1, 1), "{}", None, NOW, key).version == 1  # the key is free


def test_a_version_of_a_model_is_one_artifact(ledger):
    models = [ModelRecord("outcomes", version, "d", "{}", NOW.isoformat()) for version in ("v1", "v2")]
    assert [ledger.models.add(model) for model in [*models, models[0]]] == [*models, models[0]]
    assert ledger.models.get("outcomes", "v2") == models[1]
    assert reason_of(lambda: ledger.models.add(replace(models[0], digest="e"))) is Reason.ALREADY_EXISTS
    assert reason_of(lambda: ledger.models.get("outcomes", "v3")) is Reason.NOT_FOUND


def begin(ledger, ranking_id="g1", request_id="r1", payload="x", portfolio_id="p1"):
    return ledger.requests.begin(ranking_id, request_id, payload, portfolio_id, '{"a":1}', NOW)


def test_a_request_is_recorded_before_work_starts_and_followed_to_its_end(ledger):
    begun = begin(ledger)
    assert begun == begin(ledger, ranking_id="ignored") == ledger.requests.requested("g1")
    assert (begun.latest.state, begun.latest.step, begun.command) == (State.REQUESTED, 1, '{"a":1}')
    assert ledger.rankings.find_request("r1", "x") is None
    running = append_state(ledger, "g1", State.RUNNING, "worker 1", NOW)
    assert begin(ledger).latest == running == ledger.requests.requested("g1").latest
    made = ledger.rankings.complete("g1", {"a": 1}, entries_of([0, -1]), NOW)
    assert ledger.rankings.complete("g1", {"a": 2}, entries_of([0]), NOW) == made == ledger.rankings.find_request("r1", "x")
    assert add(ledger, "r1") == made
    assert [s.state for s in ledger.requests.states("g1")] == [State.REQUESTED, State.RUNNING, State.SUCCEEDED]
    assert ledger.rankings.verify("g1") == []


def test_requests_that_cannot_be_begun_are_refused(ledger):
    begin(ledger)
    refused = {
        Reason.REQUEST_ID_REUSED: lambda: begin(ledger, payload="y"),
        Reason.ALREADY_EXISTS: lambda: begin(ledger, request_id="r2"),
        Reason.NOT_FOUND: lambda: begin(ledger, "g2", "r2", portfolio_id="nowhere"),
    }
    assert {reason_of(call) for call in refused.values()} == set(refused)
    assert reason_of(lambda: ledger.rankings.find_request("r1", "y")) is Reason.REQUEST_ID_REUSED
    assert reason_of(lambda: ledger.rankings.complete("g9", {}, entries_of([0]), NOW)) is Reason.NOT_FOUND


def test_states_follow_each_other_only_as_work_does(ledger):
    begin(ledger)
    assert reason_of(lambda: append_state(ledger, "g1", State.REQUESTED, "", NOW)) is Reason.INVALID_ARGUMENT
    assert reason_of(lambda: append_state(ledger, "g9", State.RUNNING, "", NOW)) is Reason.NOT_FOUND
    for state in (State.RUNNING, State.FAILED, State.RUNNING, State.ABANDONED):
        append_state(ledger, "g1", state, "again", NOW)
    assert reason_of(lambda: ledger.rankings.complete("g1", {}, entries_of([0]), NOW)) is Reason.RANKING_ABANDONED
    append_state(ledger, "g1", State.RUNNING, "again", NOW)
    ledger.rankings.complete("g1", {}, entries_of([0]), NOW)
    assert reason_of(lambda: append_state(ledger, "g1", State.FAILED, "", NOW)) is Reason.INVALID_ARGUMENT


def test_accounts_are_found_in_one_ranking(ledger):
    first, _ = add(ledger, "r1", queue=[0, 0, -1, 1]), add(ledger, "r2", queue=[-1, 1, 1, -1])
    entry = ledger.worklists.entry(first.ranking_id, "1")
    assert (entry.queue, entry.priority, entry.row_number) == (0, 2, 1)
    assert ledger.worklists.entry(first.ranking_id, "2") is None


@pytest.mark.parametrize("account_id", ['a,"b', "Ünïcode\u200f", "\\.", "NULL", " x ", "\\N", "%s", "a\nb\r"])
def test_account_ids_reach_the_worklist_as_they_are(ledger, account_id):
    entries = entries_of([0, 1])
    object.__setattr__(entries, "account_id", np.array([b"first", account_id.encode()]))
    made = add_ranking(ledger, "odd", "r1", "x", "p1", {}, entries, NOW)
    assert [e.account_id for e in ledger.worklists.page("odd", 1, 0, 5)] == [account_id]
    assert ledger.worklists.entry("odd", account_id) is not None
    assert ledger.rankings.verify(made.ranking_id) == []


def test_a_ranking_that_assigns_nobody_is_recorded(ledger):
    made = add(ledger, queue=[-1, -1])
    assert ledger.worklists.page(made.ranking_id, 0, 0, 5) == []
    assert ledger.rankings.verify(made.ranking_id) == []


def test_pages_and_times_are_checked(ledger):
    for size in (0, 1_002):
        assert reason_of(lambda: ledger.worklists.page("any", 0, 0, size)) is Reason.LIMIT_EXCEEDED  # noqa: B023 - called at once
    assert reason_of(lambda: begin_at(ledger, datetime(2026, 1, 1))) is Reason.INVALID_ARGUMENT  # noqa: DTZ001
    east = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=8)))
    assert begin_at(ledger, east).created_at == "2026-01-01T04:00:00+00:00"


def begin_at(ledger, now):
    return ledger.requests.begin("g1", "r1", "x", "p1", "{}", now)


def test_the_ledgers_own_key_is_refused(ledger):
    refused = lambda: add_ranking(ledger, "g1", "r1", "x", "p1", {"ledger": 1}, entries_of([0]), NOW)  # noqa: E731
    assert reason_of(refused) is Reason.INVALID_ARGUMENT
