"""Who makes a ranking and what is told of it, on SQLite and on PostgreSQL."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.listing import Order, Term
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.records import RankingState
from collections_opt.ledger.requests.claims import MAX_ATTEMPTS
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, PORTFOLIO, add, append_state

State = RankingState
ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from collections_opt.ledger.store.database import open_database
from collections_opt.ledger.requests.workers import Workers
Workers(open_database(sys.argv[1])).join(sys.argv[2])
print("joined", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    opened.portfolios.add(PORTFOLIO)
    yield opened
    opened.close()


def begin(ledger, number=1):
    return ledger.requests.begin(f"g{number}", f"r{number}", "x", "p1", "{}", NOW)


def alive(*workers):
    return lambda worker: worker in workers


def states(ledger, ranking_id="g1"):
    return [(s.state, s.worker) for s in ledger.requests.states(ranking_id)]


def test_one_living_worker_makes_a_ranking(ledger):
    begin(ledger)
    assert ledger.claims.claim("g1", "a", alive("a"), NOW).latest.worker == "a"
    assert ledger.claims.claim("g1", "a", alive("a"), NOW).latest.step == 2
    assert ledger.claims.claim("g1", "b", alive("a", "b"), NOW).latest.worker == "a"
    taken = ledger.claims.claim("g1", "b", alive("b"), NOW).latest
    assert (taken.worker, taken.state, taken.reason) == ("b", State.RUNNING, "resumed after worker a ended")
    ledger.rankings.complete("g1", {}, entries_of([0]), NOW)
    assert ledger.claims.claim("g1", "c", alive("c"), NOW).latest.state is State.SUCCEEDED
    assert states(ledger) == [(State.REQUESTED, ""), (State.RUNNING, "a"), (State.RUNNING, "b"), (State.SUCCEEDED, "")]
    with pytest.raises(CollectionsError) as caught:
        ledger.claims.claim("g9", "a", alive(), NOW)
    assert caught.value.reason is Reason.NOT_FOUND


def test_of_many_workers_one_gets_the_claim(ledger):
    begin(ledger)
    everyone = [f"w{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        owners = list(pool.map(lambda worker: ledger.claims.claim("g1", worker, alive(*everyone), NOW).latest.worker, everyone))
    assert len(set(owners)) == 1
    assert len(states(ledger)) == 2


def test_failures_belong_to_the_worker_that_still_makes_the_ranking(ledger):
    begin(ledger)
    ledger.claims.claim("g1", "a", alive(), NOW)
    ledger.claims.claim("g1", "b", alive(), NOW)
    assert ledger.claims.fail("g1", "a", "too late", NOW).worker == "b"
    assert ledger.claims.fail("g1", "b", "no model", NOW).state is State.FAILED
    assert ledger.claims.fail("g1", "b", "again", NOW).reason == "no model"
    assert ledger.claims.claim("g1", "c", alive(), NOW).latest.reason == "asked for again after it was failed"


def test_a_cancelled_ranking_is_never_recorded_unless_asked_for_again(ledger):
    begin(ledger)
    ledger.claims.claim("g1", "a", alive("a"), NOW)
    assert ledger.claims.cancel("g1", "cancelled", NOW).state is State.ABANDONED
    assert ledger.claims.cancel("g1", "again", NOW).reason == "cancelled"
    with pytest.raises(CollectionsError) as caught:
        ledger.rankings.complete("g1", {}, entries_of([0]), NOW)
    assert caught.value.reason is Reason.RANKING_ABANDONED
    assert ledger.chain.head().seq == 0
    ledger.claims.claim("g1", "a", alive("a"), NOW)
    made = ledger.rankings.complete("g1", {}, entries_of([0]), NOW)
    assert ledger.claims.cancel("g1", "too late", NOW).state is State.SUCCEEDED
    assert ledger.rankings.get("g1") == made


def test_what_dead_workers_left_is_resumed_and_what_kills_them_is_abandoned(ledger):
    for number in range(1, 5):
        begin(ledger, number)
    ledger.claims.claim("g1", "dead", alive(), NOW)
    ledger.claims.claim("g2", "living", alive("living"), NOW)
    ledger.rankings.complete("g4", {}, entries_of([0]), NOW)
    found = ledger.claims.recover("w1", alive("living", "w1"), NOW)
    assert [(r.request.ranking_id, r.resumed, r.lost_worker) for r in found] == [("g1", True, "dead"), ("g3", True, "")]
    assert ledger.claims.recover("w1", alive("living", "w1"), NOW) == []
    for number in range(2, MAX_ATTEMPTS):
        assert all(r.resumed for r in ledger.claims.recover(f"w{number}", alive("living"), NOW))
    last = {r.request.ranking_id: r for r in ledger.claims.recover("last", alive("living"), NOW)}
    assert (last["g1"].resumed, last["g3"].resumed) == (False, True)
    assert last["g1"].request.latest.reason == f"its worker ended {MAX_ATTEMPTS} times before it was made"
    assert [r.ranking_id for r, _ in ledger.requests.in_states([State.ABANDONED], None, 5)] == ["g1"]
    ledger.claims.claim("g1", "w9", alive(), NOW)
    assert ledger.claims.recover("w10", alive(), NOW)[0].resumed, "asking again starts the count anew"


def test_a_worker_is_alive_until_its_process_dies(ledger, database_url):
    assert not ledger.workers.is_alive("w1")
    ledger.workers.join("w1")
    ledger.workers.join("w1")
    other = open_ledger(database_url, ledger.objects)
    assert other.workers.is_alive("w1")
    command = [sys.executable, "-c", HOLDER, database_url, "w2"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "joined\n"
        assert ledger.workers.is_alive("w2")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    while ledger.workers.is_alive("w2"):  # PostgreSQL notices a moment after the process ended
        pass
    ledger.workers.leave()
    assert not other.workers.is_alive("w1")
    other.close()


def test_every_end_is_told_once_in_order_of_commits(ledger):
    for number in range(1, 4):
        begin(ledger, number)
        ledger.claims.claim(f"g{number}", "a", alive(), NOW)
    made = ledger.rankings.complete("g2", {}, entries_of([0]), NOW)
    ledger.rankings.complete("g2", {}, entries_of([0]), NOW)
    ledger.claims.fail("g1", "a", "no model", NOW)
    ledger.claims.cancel("g3", "cancelled", NOW)
    events = ledger.outbox.after(0, 10)
    assert [(e.seq, e.kind, e.subject) for e in events] == [
        (1, "ranking.succeeded", "g2"),
        (2, "ranking.failed", "g1"),
        (3, "ranking.abandoned", "g3"),
    ]
    told = json.loads(events[0].payload)
    assert (told["seq"], told["record_digest"], told["request_id"]) == (made.seq, made.record_digest, "r2")
    assert ledger.outbox.after(2, 10) == events[2:]
    assert ledger.outbox.after(0, 1) == events[:1]


def test_events_of_many_writers_have_no_gaps(ledger):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: add(ledger, f"r{number}"), range(16)))
    events = ledger.outbox.after(0, 100)
    assert [e.seq for e in events] == list(range(1, 17))
    assert [e.subject for e in events] == [m.ranking_id for m in sorted(made, key=lambda m: m.seq)]


def test_requests_are_listed_by_state_newest_first(ledger):
    for number in range(1, 6):
        begin(ledger, number)
    append_state(ledger, "g2", State.RUNNING, "", NOW)
    append_state(ledger, "g2", State.FAILED, "no model", NOW)
    first = ledger.requests.in_states([State.REQUESTED], None, 2)
    assert [r.ranking_id for r, _ in first] == ["g5", "g4"]
    rest = ledger.requests.in_states([State.REQUESTED], first[-1][1], 5)
    assert [r.ranking_id for r, _ in rest] == ["g3", "g1"]
    assert [r.ranking_id for r, _ in ledger.requests.in_states([State.FAILED, State.RUNNING], None, 5)] == ["g2"]
    by_book = ledger.requests.in_states([State.REQUESTED], None, 2, order=Order("portfolio_id"))
    more = ledger.requests.in_states([State.REQUESTED], by_book[-1][1], 5, order=Order("portfolio_id"))
    assert [r.ranking_id for r, _ in (*by_book, *more)] == ["g1", "g3", "g4", "g5"]
    assert ledger.requests.in_states(list(State), None, 5, [Term("portfolio_id", "=", "none")]) == []
