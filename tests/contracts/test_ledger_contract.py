"""What every ledger keeps, on SQLite and on PostgreSQL."""

import threading
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.chain import GENESIS
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects import FolderObjectStore
from collections_opt.ledger.records import PortfolioRecord
from tests.core.test_comparison import entries_of

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
PORTFOLIO = PortfolioRecord("p1", "2026-11-24", "UTC", "USD", 4, 4, 0, "d", "o", "q", NOW.isoformat())


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    opened.add_portfolio(PORTFOLIO)
    yield opened
    opened.close()


def add(ledger, request_id="r1", payload="x", note="n"):
    return ledger.add_ranking(
        f"ranking-{uuid.uuid4()}", request_id, payload, "p1", {"note": note}, entries_of([0, 0, -1, 1]), NOW
    )


def test_portfolios_are_stored_once_and_listed_by_id(ledger):
    ledger.add_portfolio(replace(PORTFOLIO, portfolio_id="p0"))
    assert ledger.add_portfolio(PORTFOLIO) == PORTFOLIO == ledger.portfolio("p1")
    with pytest.raises(CollectionsError) as caught:
        ledger.add_portfolio(replace(PORTFOLIO, digest="other"))
    assert caught.value.reason is Reason.ALREADY_EXISTS
    assert [p.portfolio_id for p in ledger.portfolios_after("", 10)] == ["p0", "p1"]
    assert [p.portfolio_id for p in ledger.portfolios_after("p0", 10)] == ["p1"]


def test_plans_are_versioned_and_guarded_by_etag(ledger):
    first = ledger.add_plan("desk", date(2026, 1, 1), "{}", None, NOW)
    second = ledger.add_plan("desk", date(2026, 2, 1), '{"a":1}', first.etag, NOW)
    assert (first.version, second.version) == (1, 2)
    assert ledger.plan("desk") == second
    assert ledger.plan("desk", 1) == first
    assert ledger.plans_after("", 5) == [second]
    for etag, reason in ((first.etag, Reason.ETAG_MISMATCH), (None, Reason.ALREADY_EXISTS)):
        with pytest.raises(CollectionsError) as caught:
            ledger.add_plan("desk", date(2026, 3, 1), "{}", etag, NOW)
        assert caught.value.reason is reason
    with pytest.raises(CollectionsError) as caught:
        ledger.add_plan("nowhere", date(2026, 3, 1), "{}", "etag", NOW)
    assert caught.value.reason is Reason.NOT_FOUND


def test_one_request_makes_one_ranking(ledger):
    first = add(ledger)
    assert add(ledger) == first == ledger.find_request("r1", "x") == ledger.ranking(first.ranking_id)
    for attempt in (lambda: add(ledger, payload="other"), lambda: ledger.find_request("r1", "other")):
        with pytest.raises(CollectionsError) as caught:
            attempt()
        assert caught.value.reason is Reason.REQUEST_ID_REUSED
    assert len(ledger.rankings_before(None, 10)) == 1


def test_sixteen_callers_with_one_key_make_one_record(ledger):
    seen, start = [], threading.Barrier(16)

    def call():
        start.wait()
        seen.append(add(ledger).ranking_id)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 16
    assert len(set(seen)) == 1
    assert len(ledger.rankings_before(None, 100)) == 1
    assert ledger.verify_chain() == []


def test_worklists_are_paged_in_order(ledger):
    ranking = add(ledger)
    page = ledger.worklist(ranking.ranking_id, 0, 0, 1)
    rest = ledger.worklist(ranking.ranking_id, 0, page[-1].priority, 10)
    assert [e.account_id for e in page + rest] == ["0", "1"]
    assert [e.account_id for e in ledger.worklist(ranking.ranking_id, 1, 0, 10)] == ["3"]


def test_rankings_are_chained_and_survive_reopening(ledger, database_url, tmp_path):
    first, second = add(ledger, "r1"), add(ledger, "r2")
    assert (first.previous_digest, second.previous_digest) == (GENESIS, first.record_digest)
    ledger.close()
    again = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    assert [r.seq for r in again.rankings_before(None, 10)] == [2, 1]
    assert [r.seq for r in again.rankings_before(2, 10)] == [1]
    assert again.verify_chain() == []
    again.close()


def test_records_hold_no_floats(ledger):
    with pytest.raises(TypeError, match="no floats"):
        ledger.add_ranking("x", "r9", "x", "p1", {"a": [{"b": 0.5}]}, entries_of([0]), NOW)
    assert ledger.rankings_before(None, 1) == []


def test_a_failure_within_the_transaction_leaves_nothing(ledger):
    broken = entries_of([0, 0])
    object.__setattr__(broken, "priority", np.array([1, 1], dtype=np.int32))
    with pytest.raises(sa.exc.DatabaseError):
        ledger.add_ranking("half", "r5", "x", "p1", {}, broken, NOW)
    assert ledger.find_request("r5", "x") is None


CHANGES = [
    "UPDATE rankings SET record = '{}'",
    "UPDATE ranking_entries SET increment_minor = 0",
    "UPDATE portfolios SET row_count = 0",
    "DELETE FROM ranking_entries",
    "DELETE FROM rankings",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_refuses_changes(ledger, database_url, statement):
    add(ledger)
    engine = sa.create_engine(database_url)
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def test_the_database_refuses_replacing_and_truncating(ledger, database_url):
    ranking = add(ledger)
    engine = sa.create_engine(database_url)
    copied = "payload_digest, portfolio_id, '{}', previous_digest, record_digest, created_at"
    if engine.dialect.name == "sqlite":
        statements = [
            f"INSERT OR REPLACE INTO rankings SELECT seq, ranking_id, request_id, {copied} FROM rankings",
            f"INSERT INTO rankings SELECT 9, 'other', 'other', {copied} FROM rankings",
        ]
    else:
        statements = ["TRUNCATE rankings CASCADE", "SET session_replication_role = replica; DELETE FROM ranking_entries"]
    for statement in statements:
        with pytest.raises(sa.exc.DatabaseError, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(statement)
    assert ledger.ranking(ranking.ranking_id) == ranking
    engine.dispose()


def test_the_chain_finds_and_locates_an_edit_made_around_the_triggers(ledger, database_url):
    add(ledger, "r1")
    second = add(ledger, "r2")
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        drop = "DROP TRIGGER rankings_update" if engine.dialect.name == "sqlite" else "DROP TRIGGER rankings_row ON rankings"
        connection.execute(sa.text(drop))
        connection.execute(sa.text('UPDATE rankings SET record = \'{"note":"forged"}\' WHERE seq = 2'))
    engine.dispose()
    broken = ledger.verify_chain()
    assert len(broken) == 1
    assert second.ranking_id in broken[0]
