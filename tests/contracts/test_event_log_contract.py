"""What every ledger keeps of events, on SQLite and PostgreSQL; each check is shown a planted bug."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.sealing.subject_keys import KeyVault
from tests.support.ledger.ledgers import NOW, without_triggers

ANN = Actor("ann")


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    yield opened
    opened.close()


@pytest.fixture
def keys(ledger):
    return ledger.subject_keys(KeyVault(bytes(range(32))))


@pytest.fixture
def log(ledger, keys):
    return EventLog(ledger.database, keys)


def paid(number, account="a"):
    return Event(f"e{number}", EventKind.PAYMENT, NOW, account, amount_minor=5 + number)


def feed(log):
    return [(stored.recorded.sequence, stored.recorded.event) for stored in log.after(0, 1_000)]


def refused(call, *args):
    with pytest.raises(CollectionsError) as caught:
        call(*args)
    return caught.value.reason, {violation.field for violation in caught.value.violations}


def test_events_are_read_in_the_order_of_their_recording(log):
    late = replace(paid(2), occurred_at=NOW - timedelta(days=400))
    log.record([paid(1), late], ANN, NOW)
    log.record([Event("e3", EventKind.FLAG, NOW, customer_id="p", flag="deceased", is_set=True)], ANN, NOW + timedelta(hours=1))
    assert [(n, e.event_id) for n, e in feed(log)] == [(1, "e1"), (2, "e2"), (3, "e3")]
    assert log.after(1, 1)[0].recorded.event == late
    assert log.after(2, 1)[0].recorded.recorded_at == NOW + timedelta(hours=1)
    assert [s.recorded.sequence for s in log.of_account("a", "", None, 10)] == [2, 1]
    assert [s.recorded.sequence for s in log.of_account("a", "p", 3, 10)] == [2, 1]
    assert [s.recorded.sequence for s in log.of_account("", "p", None, 10)] == [3]
    assert log.of_account("b", "q", None, 10) == []


def test_the_same_event_again_is_the_same_event(log):
    assert [t.sequence for t in log.record([paid(1), paid(2), paid(1)], ANN, NOW)] == [1, 2, 1]
    again = log.record([paid(2), paid(3)], ANN, NOW)
    assert [(t.sequence, t.repeated) for t in again] == [(2, True), (3, False)]
    assert len(feed(log)) == 3


@pytest.mark.parametrize("changes", [{"amount_minor": 1}, {"account_id": "b"}, {"occurred_at": NOW - timedelta(seconds=1)}])
def test_an_id_that_holds_another_event_refuses_the_whole_batch(log, changes):
    log.record([paid(1)], ANN, NOW)
    other = replace(paid(1), **changes)
    assert refused(log.record, [paid(2), other], ANN, NOW) == (Reason.ALREADY_EXISTS, {"events[1].event_id"})
    assert refused(log.record, [paid(7), replace(paid(7), **changes)], ANN, NOW)[0] is Reason.ALREADY_EXISTS
    assert len(feed(log)) == 1


def test_a_reversal_names_an_event_of_the_same_subject_that_can_be_taken_back(log):
    log.record([paid(1), Event("r1", EventKind.REVERSAL, NOW, "a", reverses="e1")], ANN, NOW)
    for event in (
        Event("r2", EventKind.REVERSAL, NOW, "b", reverses="e1"),
        Event("r3", EventKind.REVERSAL, NOW, "a", reverses="r1"),
    ):
        assert refused(log.record, [event], ANN, NOW) == (Reason.INVALID_ARGUMENT, {"events[0].reversal.reverses"})
    assert not log.record([Event("r4", EventKind.REVERSAL, NOW, "a", reverses="yet to come")], ANN, NOW)[0].repeated


def test_writers_at_once_leave_no_gap_and_lose_nothing(log):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log.record([paid(3 * n + k, f"a{n % 3}") for k in range(3)], ANN, NOW), range(16)))
    found = feed(log)
    assert [number for number, _ in found] == list(range(1, 49))
    assert {event.event_id for _, event in found} == {f"e{n}" for n in range(48)}
    assert log.verify() == []


def test_an_erased_account_leaves_its_place_in_the_feed_and_the_proof(ledger, log, keys):
    log.record([paid(1), paid(2, "b"), paid(3)], ANN, NOW)
    ledger.erasure.erase("er", ["a"], np.array([keys.find("a")]), keys, {"reason": "asked", "at": NOW.isoformat()})
    assert [(n, e and e.event_id) for n, e in feed(log)] == [(1, None), (2, "e2"), (3, None)]
    assert log.of_account("a", "", None, 10) == []
    assert log.verify(ledger.erasure.erased_numbers()) == ledger.logged_rows.verify() == ledger.log.verify() == []
    assert "neither given nor erased" in log.verify()[0]
    assert log.record([paid(1)], ANN, NOW)[0].repeated
    log.record([paid(9)], ANN, NOW)
    assert feed(log)[-1] == (4, paid(9))


def test_every_batch_is_in_the_log_with_who_told_it(ledger, log):
    log.record([paid(1), paid(2)], ANN, NOW)
    (leaf,) = ledger.log.entries(LogKind.EVENTS)
    assert leaf.reference == "1"
    assert leaf.facts["actor"]["claimed_name"] == "ann"
    assert ledger.log.verify() == ledger.logged_rows.verify() == []


@pytest.mark.parametrize(
    "edit", ["account_no = 0", "account_no = 1", "id_digest = 'x'", "nonce = leaf", "sealed = leaf", "recorded_at = 0"]
)
def test_an_event_whose_account_was_erased_keeps_its_columns(ledger, log, keys, database_url, edit):
    log.record([paid(1), paid(2, "b"), paid(3, "c")], ANN, NOW)
    for name in ("b", "c"):
        ledger.erasure.erase(f"er-{name}", [name], np.array([keys.find(name)]), keys, {"reason": "asked", "at": NOW.isoformat()})
    assert log.verify(ledger.erasure.erased_numbers()) == []
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE day_events SET {edit} WHERE sequence = 3"))
    assert log.verify(ledger.erasure.erased_numbers())


def test_a_batch_of_before_its_columns_were_digested_is_checked_by_what_was_sealed(ledger, log, database_url, monkeypatch):
    monkeypatch.setattr("collections_opt.ledger.events.event_writer.rows_digest", lambda rows: None)
    log.record([paid(1), paid(2, "b")], ANN, NOW)
    assert log.verify() == []
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.execute(sa.text("UPDATE day_events SET person_no = 1 WHERE sequence = 1"))
    assert log.verify() == ["event 1 is kept under another account or person than it concerns"]


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM day_events WHERE sequence = 2",
        "UPDATE day_events SET account_no = (SELECT account_no FROM day_events WHERE sequence = 3) WHERE sequence = 1",
        "UPDATE day_events SET leaf = (SELECT leaf FROM day_events WHERE sequence = 3) WHERE sequence = 1",
        "UPDATE day_events SET sealed = (SELECT sealed FROM day_events WHERE sequence = 3) WHERE sequence = 1",
        "UPDATE day_events SET account_no = 7000 WHERE sequence = 1",
        "UPDATE day_events SET account_no = -1, person_no = account_no WHERE sequence = 1",
        "UPDATE day_events SET person_no = 0 WHERE sequence = 1",
        "UPDATE day_events SET id_digest = 'x' WHERE sequence = 1",
        "UPDATE day_events SET recorded_at = recorded_at + 1 WHERE sequence = 1",
        "UPDATE day_events SET sequence = 0 WHERE sequence = 3",
        "UPDATE event_batches SET event_count = 1 WHERE first_sequence = 1",
        "UPDATE event_batches SET created_at = 'noon' WHERE first_sequence = 1",
        "DELETE FROM event_batches WHERE first_sequence = 3",
    ],
)
def test_an_edit_around_the_triggers_is_noticed(ledger, log, database_url, edit):
    log.record([paid(1), paid(2)], ANN, NOW)
    log.record([paid(3, "b")], ANN, NOW)
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.execute(sa.text(edit))
    assert log.verify() or ledger.logged_rows.verify()


def test_nothing_of_an_event_is_readable_in_the_database(ledger, log):
    log.record([paid(1, "account-of-someone")], ANN, NOW)
    with ledger.database.read() as connection:
        (row,) = connection.execute(sa.text("SELECT * FROM day_events")).all()
    assert not any(b"someone" in bytes(v) for v in row if isinstance(v, (bytes, memoryview)))
    assert not any("someone" in v or v == "e1" for v in row if isinstance(v, str))
