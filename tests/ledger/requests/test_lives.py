"""Requests, states and events are checked against the records that they led to."""

import pytest

from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.records import RankingState
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, PORTFOLIO, add, append_state, without_triggers


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    opened.portfolios.add(PORTFOLIO)
    for number in range(1, 4):
        opened.requests.begin(f"g{number}", f"r{number}", "x", "p1", "{}", NOW)
        opened.claims.claim(f"g{number}", "w1", lambda _: False, NOW)
    opened.rankings.complete("g1", {}, entries_of([0, 1]), NOW)
    opened.claims.fail("g2", "w1", "no model", NOW)
    yield opened
    opened.close()


def found(ledger):
    return ledger.lives.verify() + [f"g1: {line}" for line in ledger.rankings.verify("g1")]


def test_what_happened_holds_together(ledger):
    assert found(ledger) == []
    ledger.claims.cancel("g3", "cancelled", NOW)
    ledger.claims.claim("g3", "w2", lambda _: False, NOW)
    append_state(ledger, "g3", RankingState.ABANDONED, "again", NOW)
    add(ledger, "r3")
    assert found(ledger) + ledger.rankings.verify("g3") == []


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("UPDATE ranking_requests SET command = 'x' WHERE ranking_id = 'g1'", "g1: its request or its states differ"),
        ("UPDATE ranking_states SET worker = 'x' WHERE ranking_id = 'g1' AND step = 2", "g1: its request or its states differ"),
        ("UPDATE ranking_states SET reason = 'x' WHERE ranking_id = 'g1' AND step = 3", "g1: its last state differs"),
        ("UPDATE ranking_states SET state = 'FAILED' WHERE ranking_id = 'g1' AND step = 3", "g1: its last state is FAILED"),
        ("DELETE FROM ranking_states WHERE ranking_id = 'g1' AND step = 2", "g1: its step 3 does not follow"),
        ("UPDATE ranking_states SET state = 'SUCCEEDED' WHERE ranking_id = 'g2' AND step = 3", "g2: its last state is SUCCEEDED"),
        ("UPDATE ranking_states SET reason = 'x' WHERE ranking_id = 'g2' AND step = 3", "g2: its events differ"),
        ("UPDATE outbox SET payload = '{}' WHERE seq = 1", "g1: its events differ"),
        ("UPDATE outbox SET seq = 7 WHERE seq = 2", "event 7 where 2 belongs"),
        ("UPDATE outbox SET subject = 'g9' WHERE seq = 2", "g9: has an event, but nobody asked"),
        ("DELETE FROM outbox WHERE seq = 2", "g2: its events differ"),
    ],
)
def test_an_edit_is_found_where_it_was_made(ledger, database_url, edit, said):
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(edit)
    assert any(said in line for line in found(ledger)), found(ledger)
