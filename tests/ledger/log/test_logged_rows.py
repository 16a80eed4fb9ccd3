"""Rows outside the chain of rankings are what their leaves in the log say, and say who recorded them."""

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log import logged_rows
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import LOGGED
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.store.schema import metadata
from tests.support.ledger.ledgers import NOW, PORTFOLIO, fill, upgrade, without_triggers

ANN = Actor("ann", "OPERATIONS_MANAGER", "desk-system")
BEN = Actor("ben", "ADMIN", issuer="identity.example")


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    fill(opened)
    yield opened
    opened.close()


def test_who_recorded_first_is_kept_for_every_portfolio_and_version_of_a_plan(ledger):
    book = replace(PORTFOLIO, portfolio_id="p2")
    for actor in (ANN, BEN):
        ledger.portfolios.add(book, actor)
    first = ledger.plans.add("night", date(2026, 1, 1), "{}", None, NOW, actor=ANN)
    ledger.plans.add("night", date(2026, 2, 1), "{}", first.etag, NOW, actor=BEN)
    assert ledger.logged_rows.actors(LogKind.PORTFOLIO, ["p1", "p2", "p3"]) == {"p1": UNKNOWN, "p2": ANN}
    assert ledger.logged_rows.actors(LogKind.PLAN, ["night/1", "night/2"]) == {"night/1": ANN, "night/2": BEN}
    assert ledger.logged_rows.verify() == ledger.log.verify() == []


def _edits(connection):
    for kind, table in LOGGED.items():
        key = next(iter(table.primary_key))
        row = dict(connection.execute(table.select()).mappings().first())
        yield kind, table.delete().where(key == row[key.name])
        yield (
            kind,
            table.insert().values({**row, key.name: row[key.name] + (90 if isinstance(row[key.name], int) else "-forged")}),
        )
        for column in table.columns:
            if not column.foreign_keys:
                changed = row[column.name] + (90 if isinstance(row[column.name], int) else "x")
                yield kind, table.update().where(key == row[key.name]).values({column.name: changed})


def test_every_edit_of_every_row_is_found_by_its_name(ledger, database_url):
    with without_triggers(database_url) as engine:
        sqlite = engine.dialect.name == "sqlite"
        with engine.begin() as connection:
            if not sqlite:  # that a ranking needs its portfolio is no guard against whoever owns the database
                connection.exec_driver_sql("ALTER TABLE rankings DROP CONSTRAINT rankings_portfolio_id_fkey")
                connection.exec_driver_sql("ALTER TABLE ranking_requests DROP CONSTRAINT ranking_requests_portfolio_id_fkey")
            edits = list(_edits(connection))
        assert {kind for kind, _ in edits} == set(LOGGED)
        for kind, edit in edits:
            with engine.connect() as connection:
                connection.execute(edit)
                found = [line for each in LOGGED for line in logged_rows._broken_rows(connection, each)]
                connection.rollback()
            assert found, str(edit)
            assert all(line.startswith(kind.value.replace("_", " ")) for line in found)
    assert ledger.logged_rows.verify() == []


def test_a_row_without_its_leaf_is_noticed(ledger, monkeypatch):
    """The planted bug: the row is recorded and its leaf is not."""
    monkeypatch.setattr(logged_rows, "append_log", lambda *_: None)
    ledger.portfolios.add(replace(PORTFOLIO, portfolio_id="p2"), ANN)
    assert ledger.logged_rows.verify() == ["portfolio p2: is stored, but has no leaf in the log"]


def test_a_permit_that_outlives_its_erasure_is_noticed(ledger):
    with ledger.database.write() as connection:
        connection.execute(metadata.tables["erasure_permits"].insert(), {"account_id": "a"})
    assert ledger.logged_rows.verify() == ["1 erasure permits outlive their erasure"]


def test_rows_of_before_get_their_leaves_and_nobody_is_said_to_have_recorded_them(new_database_url, tmp_path):
    engine = upgrade(new_database_url, "0007")
    plan = {"plan_id": "desk", "version": 1, "effective_from": "2026-01-01", "etag": "e", "payload": "{}", "created_at": "t"}
    answer = {"request_id": "k", "method": "m", "payload_digest": "d", "response": "{}", "created_at": "t"}
    with engine.begin() as connection:
        connection.execute(metadata.tables["portfolios"].insert(), PORTFOLIO.__dict__)
        connection.execute(metadata.tables["capacity_plans"].insert(), plan)
        connection.execute(metadata.tables["idempotency_keys"].insert(), answer)
        assert connection.execute(sa.text("SELECT count(*) FROM log_entries")).scalar() == 0
    engine.dispose()
    ledger = open_ledger(new_database_url, FolderObjectStore(tmp_path))
    assert [(entry.kind, entry.reference) for entry in ledger.log.entries()] == [
        (LogKind.PORTFOLIO, "p1"),
        (LogKind.PLAN, "desk/1"),
        (LogKind.ANSWER, "k"),
    ]
    assert ledger.logged_rows.verify() == ledger.log.verify() == []
    assert ledger.logged_rows.actors(LogKind.PLAN, ["desk/1"]) == {"desk/1": UNKNOWN}
    ledger.close()
