"""A ledger moves to PostgreSQL whole or not at all."""

import json

import pytest

from collections_opt.application.records.ranking_facts import objects_of
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger import moving
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log.chain import Chain
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, PORTFOLIO, add, add_ranking, without_triggers
from tests.support.scripts.processes import call


@pytest.fixture
def objects(tmp_path):
    return FolderObjectStore(tmp_path / "objects")


@pytest.fixture
def source(tmp_path, objects):
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", objects)
    stored = {name: objects.put(name.encode()) for name in ("object_digest", "quarantine_digest")}
    ledger.portfolios.add(type(PORTFOLIO)(**{**PORTFOLIO.__dict__, **stored}))
    entries = entries_of([0, 0, -1, 1])
    record = {"entries_object": objects.put(columns_to_parquet(ColumnTable(entries.columns())))}
    add_ranking(ledger, "g0", "r0", "x", "p1", record, entries, NOW)
    yield ledger
    ledger.close()


@pytest.fixture
def target_url(request, database_url):
    if database_url.startswith("sqlite"):
        pytest.skip("moves go to PostgreSQL")
    return database_url


@pytest.fixture
def target(target_url, objects):
    ledger = open_ledger(target_url, objects)
    yield ledger
    ledger.close()


def filled(source):
    for number in range(1, 4):
        add(source, f"r{number}")
    source.requests.begin("begun", "r9", "x", "p1", "{}", NOW)
    return source


def test_everything_recorded_is_there_and_the_chain_goes_on(source, target):
    moved = moving.move_ledger(filled(source), target, objects_of, NOW)
    assert moved.ranking_count == moved.rows["rankings"] == 4
    assert moved.rows["ranking_states"] == 9
    assert moved.head == source.chain.head().record_digest
    with pytest.raises(CollectionsError, match="was moved to postgresql"):
        add(source, "r8")
    assert target.rankings.before(None, 9) == source.rankings.before(None, 9)
    assert target.outbox.after(0, 9) == source.outbox.after(0, 9)
    assert target.rankings.find_request("r2", "x") == source.rankings.find_request("r2", "x")
    assert target.requests.unfinished() == source.requests.unfinished()
    assert target.worklists.page("g0", 0, 0, 9) == source.worklists.page("g0", 0, 0, 9)
    assert add(target, "r8").previous_digest == moved.head
    assert target.chain.verify() == target.log.verify() == []


def test_a_move_that_died_between_its_two_commits_is_taken_up(source, target, monkeypatch):
    """The target is committed, the source never came to say so."""

    def dying(*_):
        raise KeyboardInterrupt

    filled(source)
    with monkeypatch.context() as patched:
        patched.setattr(Chain, "head", dying)
        patched.setattr(moving, "retire", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            moving.move_ledger(source, target, objects_of, NOW)
    assert target.chain.head() == source.chain.head()
    moved = moving.move_ledger(source, target, objects_of, NOW)
    assert (moved.copied_before, moved.ranking_count) == (True, 4)
    with pytest.raises(CollectionsError, match="was moved to"):
        add(source, "r8")
    assert add(target, "r8").previous_digest == moved.head


def test_a_source_that_went_on_after_a_move_died_is_not_taken_for_moved(source, target, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(moving, "retire", lambda *_: None)
        moving.move_ledger(filled(source), target, objects_of, NOW)
    add(source, "r8")
    with pytest.raises(CollectionsError, match="differ from the source's"):
        moving.move_ledger(source, target, objects_of, NOW)


def test_a_target_that_holds_anything_is_refused(source, target):
    target.portfolios.add(PORTFOLIO)
    with pytest.raises(CollectionsError) as caught:
        moving.move_ledger(source, target, objects_of, NOW)
    assert caught.value.reason is Reason.ALREADY_EXISTS
    assert target.chain.head().seq == 0


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE rankings SET record = '{}' WHERE seq = 2",
        "DELETE FROM ranking_entries WHERE seq = 1 AND priority = 2",
        "UPDATE log_entries SET leaf_hash = leaf_hash || '0' WHERE position = 1",
    ],
)
def test_a_ledger_that_does_not_verify_is_not_moved(source, target, tmp_path, edit):
    filled(source)
    with without_triggers(f"sqlite:///{tmp_path / 'ledger.db'}") as engine, engine.begin() as connection:
        connection.exec_driver_sql(edit)
    with pytest.raises(CollectionsError) as caught:
        moving.move_ledger(source, target, objects_of, NOW)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE
    assert target.chain.head().seq == 0


def test_a_missing_object_is_noticed_before(source, target, tmp_path):
    next(path for path in (tmp_path / "objects").rglob("*") if path.is_file()).unlink()
    with pytest.raises(CollectionsError, match="is missing"):
        moving.move_ledger(source, target, objects_of, NOW)


@pytest.mark.parametrize("table", ["ranking_states", "ranking_entries", "outbox"])
def test_a_copy_that_loses_a_row_is_not_kept(source, target, monkeypatch, table):
    """The planted copy leaves out the last row of one table."""
    copy, copy_entries = moving._copy, moving._copy_entries

    def lossy(old, new, which):
        rows = [row._asdict() for batch in moving._batches(old, which) for row in batch]
        if which.name != table:
            return copy(old, new, which)
        if rows[:-1]:
            new.execute(which.insert(), rows[:-1])
        return len(rows)

    monkeypatch.setattr(moving, "_copy", lossy)
    monkeypatch.setattr(moving, "_copy_entries", (lambda *_: 3) if table == "ranking_entries" else copy_entries)
    with pytest.raises(CollectionsError, match=f"copy of {table} differs"):
        moving.move_ledger(source, target, objects_of, NOW)
    assert target.portfolios.after("", 5) == []


def test_the_script_moves_and_refuses(source, target_url, tmp_path):
    filled(source).close()
    done = call("move_ledger.py", "--data", tmp_path, "--to", target_url, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ranking_count"] == 4
    again = call("move_ledger.py", "--data", tmp_path, "--to", target_url)
    assert again.returncode == 2
    assert "was moved to" in again.stderr
    back = call("move_ledger.py", "--data", tmp_path, "--to", f"sqlite:///{tmp_path / 'other.db'}")
    assert back.returncode == 2
    assert (tmp_path / "ledger.db").exists()


def test_the_roles_script_prints_and_grants(target_url):
    shown = call("ledger_roles.py", "--print")
    assert "GRANT SELECT, INSERT ON portfolios" in shown.stdout
    refused = call("ledger_roles.py", "--database-url", "sqlite://", "--service", "a", "--eraser", "b")
    assert refused.returncode == 2
    assert "SQLite has no roles" in refused.stderr
