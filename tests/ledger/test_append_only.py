"""The database itself refuses changes, and the chain shows those made around it; each check is shown a planted bug."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log import chain
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.requests import requests
from collections_opt.ledger.tables import rankings, worklists
from tests.support.ledger.ledgers import (
    NOW,
    PORTFOLIO,
    add,
    callers_with_one_key,
    changes_let_through,
    fill,
    undetected_edits,
    verify_everything,
    without_triggers,
)


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    fill(opened)
    yield opened
    opened.close()


def test_no_change_of_any_table_gets_through(ledger, database_url):
    before = ledger.rankings.before(None, 10)
    assert changes_let_through(database_url) == []
    assert ledger.rankings.before(None, 10) == before
    assert ledger.chain.verify() == []


@pytest.mark.parametrize(
    ("table", "sqlite", "postgresql"),
    [
        ("ranking_entries", "ranking_entries_update", "ranking_entries_row"),
        ("models", "models_replace", "models_all"),
        ("rankings", "rankings_gap", "rankings_gap"),
        ("ranking_states", "ranking_states_gap", "ranking_states_gap"),
    ],
)
def test_a_missing_trigger_is_noticed(ledger, database_url, table, sqlite, postgresql):
    engine = sa.create_engine(database_url)
    drop = f"DROP TRIGGER {sqlite}" if engine.dialect.name == "sqlite" else f"DROP TRIGGER {postgresql} ON {table}"
    with engine.begin() as connection:
        connection.exec_driver_sql(drop)
    engine.dispose()
    assert any(table in statement for statement in changes_let_through(database_url))


def test_every_edit_around_the_triggers_is_found(ledger, database_url):
    assert undetected_edits(ledger, database_url) == []


def test_a_column_left_out_of_the_chain_is_noticed(ledger, database_url, monkeypatch):
    monkeypatch.setattr(chain, "_CHAINED", tuple(name for name in chain._CHAINED if name != "created_at"))
    monkeypatch.setattr(rankings, "broken_life", lambda *_: [])  # it compares this column too
    digest = chain.GENESIS
    with without_triggers(database_url) as engine, engine.begin() as connection:
        for row in connection.exec_driver_sql("SELECT * FROM rankings ORDER BY seq").mappings().all():
            before = digest
            digest = chain.chain_digest({**row, "previous_digest": before})
            values = {"now": digest, "before": before, "seq": row["seq"]}
            update = "UPDATE rankings SET record_digest = :now, previous_digest = :before WHERE seq = :seq"
            connection.execute(sa.text(update), values)
    assert ledger.chain.verify() == []
    missed = undetected_edits(ledger, database_url)
    assert missed
    assert all("created_at" in edit for edit in missed)


def test_worklists_left_out_of_their_digest_are_noticed(ledger, database_url, monkeypatch):
    stored = {r.record["ledger"]["worklists_digest"] for r in ledger.rankings.before(None, 10)}
    assert len(stored) == 1
    monkeypatch.setattr(worklists.AssignedColumns, "digest", stored.pop())
    missed = undetected_edits(ledger, database_url)
    assert missed
    assert all("ranking_entries" in edit for edit in missed)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ranking_entries WHERE priority = 2",
        "INSERT INTO ranking_entries (seq, queue, priority, account_id, row_number, increment_minor, seconds, "
        "surplus_minor) SELECT seq, 7, 1, 'friend', 9, 1, 1, 1 FROM rankings WHERE seq = 1",
    ],
)
def test_rows_taken_from_or_added_to_a_worklist_are_found(ledger, database_url, statement):
    ranking_ids = [r.ranking_id for r in ledger.rankings.before(None, 10)]
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert any("worklists differ" in line for line in verify_everything(ledger, ranking_ids))


def test_an_entry_twice_is_refused_by_its_key_or_found(ledger, database_url):
    ranking_ids = [r.ranking_id for r in ledger.rankings.before(None, 10)]
    statement = "INSERT INTO ranking_entries SELECT * FROM ranking_entries WHERE seq = 1 AND priority = 2"
    with without_triggers(database_url) as engine:
        if engine.dialect.name == "sqlite":
            with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
                connection.exec_driver_sql(statement)
            return
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    assert any("worklists differ" in line for line in verify_everything(ledger, ranking_ids))


def test_a_cut_tail_is_found_by_a_checkpoint_and_by_nothing_else(ledger, database_url):
    checkpoint = ledger.chain.head()
    assert ledger.chain.verify(checkpoint) == []
    add(ledger, "r9")
    assert ledger.chain.verify(checkpoint) == []
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ranking_entries")
        connection.exec_driver_sql("DELETE FROM rankings WHERE seq > 1")
    assert ledger.chain.verify() == []
    assert any("tail cut" in line for line in ledger.chain.verify(checkpoint))


def test_an_edited_ranking_is_never_handed_out(ledger, database_url):
    second = ledger.rankings.before(None, 1)[0]
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE rankings SET record = '{' WHERE seq = 2")
    for read in (
        lambda: ledger.rankings.get(second.ranking_id),
        lambda: ledger.rankings.find_request("r2", "x"),
        lambda: ledger.rankings.before(None, 5),
    ):
        with pytest.raises(CollectionsError) as caught:
            read()
        assert caught.value.reason is Reason.INTEGRITY_FAILURE
    assert any(second.ranking_id in line for line in ledger.chain.verify())


@pytest.mark.parametrize("edit", ["payload = '{}x'", "version = 7", "plan_id = 'desk2'", "etag = 'forged'"])
def test_an_edited_plan_is_never_handed_out(ledger, database_url, edit):
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE capacity_plans SET {edit}")
    for read in (
        lambda: ledger.plans.get("desk2" if "desk2" in edit else "desk"),
        lambda: ledger.plans.after("", 5),
        lambda: ledger.plans.versions("desk2" if "desk2" in edit else "desk", None, 5),
    ):
        with pytest.raises(CollectionsError) as caught:
            read()
        assert caught.value.reason is Reason.INTEGRITY_FAILURE


@pytest.fixture
def empty_ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    opened.portfolios.add(PORTFOLIO)
    yield opened
    opened.close()


def test_sixteen_callers_with_one_key_make_one_record(empty_ledger):
    assert callers_with_one_key(empty_ledger) == []


def test_a_ledger_that_forgets_keys_is_noticed(empty_ledger, monkeypatch):
    monkeypatch.setattr(requests, "request_where", lambda *_: None)
    assert callers_with_one_key(empty_ledger)


def test_callers_with_many_keys_make_a_chain_without_gaps(empty_ledger):
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda number: add(empty_ledger, f"r{number}"), range(16)))
    assert sorted(ranking.seq for ranking in made) == list(range(1, 17))
    assert empty_ledger.chain.verify() == []


def test_of_many_writers_of_a_plan_one_gets_the_next_version(empty_ledger):
    first = empty_ledger.plans.add("desk", date(2026, 1, 1), "{}", None, NOW)

    def write(number):
        try:
            return empty_ledger.plans.add("desk", date(2026, 1, 1), f"{number}", first.etag, NOW).version
        except CollectionsError as error:
            return error.reason

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(8)))
    assert sorted(map(str, answers)) == sorted(["2", *[Reason.ETAG_MISMATCH] * 7])


def test_an_empty_database_opened_by_many_at_once_is_made_once(database_url, tmp_path):
    def reopen(_):
        ledger = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
        record = ledger.portfolios.add(PORTFOLIO)
        ledger.close()
        return record

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(reopen, range(6))) == [PORTFOLIO] * 6
