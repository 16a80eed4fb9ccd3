"""Databases are opened hardened, brought up to date, and say when they cannot be used."""

import sqlite3
import uuid

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log.chain import GENESIS, canonical_json, chain_digest
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.records import RankingState
from collections_opt.ledger.store.database import open_database
from collections_opt.ledger.store.schema import APPEND_ONLY, CHANGING, OVERWRITTEN, metadata
from collections_opt.ledger.tables.worklists import AT_REST, AssignedColumns
from tests.support.databases import why_not_started
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, PORTFOLIO, add, changes_let_through, upgrade, without_triggers

ENTRIES = {"b": entries_of([0, -1, 1, 1]), "a": entries_of([0, 0, -1, 1])}


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_migrations_lead_to_the_schema_that_the_code_uses(new_database_url):
    database = open_database(new_database_url)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_rankings_of_the_first_schema_are_kept_and_chained_on(new_database_url, tmp_path):
    engine = upgrade(new_database_url, "0001")
    row = {"seq": 1, "ranking_id": "old", "request_id": "r0", "payload_digest": "x", "portfolio_id": "p1", "record": '{"a":1}'}
    row |= {"previous_digest": GENESIS, "created_at": NOW.isoformat()}
    row["record_digest"] = chain_digest(row)
    with engine.begin() as connection:
        connection.execute(metadata.tables["portfolios"].insert(), PORTFOLIO.__dict__)
        connection.execute(metadata.tables["rankings"].insert(), row)
    engine.dispose()
    ledger = open_ledger(new_database_url, FolderObjectStore(tmp_path))
    assert ledger.rankings.find_request("r0", "x").record == {"a": 1}
    assert ledger.requests.requested("old").latest.state is RankingState.SUCCEEDED
    assert "older version" in ledger.rankings.verify("old")[0]
    assert add(ledger).previous_digest == row["record_digest"]
    assert ledger.chain.verify() == []
    ledger.close()


def filled_before_entries_were_numbered(url):
    """Return an engine on a ledger whose entries still name their ranking by its id."""
    engine = upgrade(url, "0005")
    with engine.begin() as connection:
        connection.execute(metadata.tables["portfolios"].insert(), PORTFOLIO.__dict__)
        for seq, ranking_id in enumerate(ENTRIES, 1):
            columns = AssignedColumns.of_entries(ENTRIES[ranking_id])
            record = canonical_json({"ledger": {"worklists_digest": columns.digest, "portfolio_record_digest": ""}})
            row = {"seq": seq, "ranking_id": ranking_id, "request_id": f"r{seq}", "payload_digest": "x", "portfolio_id": "p1"}
            row |= {"record": record, "previous_digest": GENESIS, "created_at": NOW.isoformat()}
            connection.execute(metadata.tables["rankings"].insert(), {**row, "record_digest": chain_digest(row)})
            held = {name: column.tolist() for name, column in columns.numbers.items() if name not in AT_REST}  # not there yet
            cells = zip(*held.values(), strict=True)
            entries = [
                {"ranking_id": ranking_id, "account_id": account.decode(), **dict(zip(held, numbers, strict=True))}
                for account, numbers in zip(columns.account_id.tolist(), cells, strict=True)
            ]
            names = list(entries[0])
            places = ", ".join(f":{name}" for name in names)
            connection.execute(sa.text(f"INSERT INTO ranking_entries ({', '.join(names)}) VALUES ({places})"), entries)
    return engine


def test_entries_that_named_their_ranking_by_id_keep_their_ranking_and_their_guards(new_database_url, tmp_path):
    filled_before_entries_were_numbered(new_database_url).dispose()
    ledger = open_ledger(new_database_url, FolderObjectStore(tmp_path))
    assert len(ledger.worklists.page("a", 0, 0, 9)) == 2
    assert not [line for name in "ab" for line in ledger.rankings.verify(name) if "worklists" in line]
    ledger.close()
    assert not [change for change in changes_let_through(new_database_url) if "ranking_entries" in change]


def test_entries_copied_under_the_wrong_ranking_are_noticed(new_database_url, tmp_path):
    engine = filled_before_entries_were_numbered(new_database_url)
    ledger = open_ledger(new_database_url, FolderObjectStore(tmp_path))
    with without_triggers(new_database_url) as owner, owner.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ranking_entries WHERE seq = 1")
        connection.exec_driver_sql("UPDATE ranking_entries SET seq = 1 WHERE seq = 2")
    assert all("its worklists differ from their digest" in ledger.rankings.verify(name) for name in "ab")
    ledger.close()
    engine.dispose()


def test_what_was_granted_on_the_entries_stays_granted(new_database_url):
    if new_database_url.startswith("sqlite"):
        pytest.skip("SQLite has no roles")
    engine, role = filled_before_entries_were_numbered(new_database_url), f"eraser_{uuid.uuid4().hex[:10]}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role}; GRANT SELECT, DELETE ON ranking_entries TO {role}")
    open_database(new_database_url).close()
    with engine.begin() as connection:
        asked = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
        granted = [
            connection.execute(sa.select(sa.func.has_table_privilege(role, "ranking_entries", name))).scalar() for name in asked
        ]
        connection.exec_driver_sql(f"DROP OWNED BY {role}; DROP ROLE {role}")
    engine.dispose()
    assert dict(zip(asked, granted, strict=True)) == dict.fromkeys(asked, False) | {"SELECT": True, "DELETE": True}


def test_a_database_of_newer_code_is_refused(new_database_url):
    engine = upgrade(new_database_url, "head")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(CollectionsError) as caught:
        open_database(new_database_url)
    assert caught.value.reason is Reason.SCHEMA_MISMATCH


def test_sqlite_is_hardened_and_its_tables_are_strict(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    pragmas = {"foreign_keys": 1, "recursive_triggers": 1, "trusted_schema": 0, "journal_mode": "delete", "synchronous": 2}
    with database.read() as connection:
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas} == pragmas
        rows = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list").all()
    assert {name for name, strict in rows if strict} == {*APPEND_ONLY, *OVERWRITTEN, *CHANGING}
    database.close()


@pytest.mark.parametrize("url", ["mysql+pymysql://nobody@localhost/none", "ledger.db"])
def test_other_databases_are_refused(url):
    with pytest.raises(CollectionsError) as caught:
        open_database(url)
    assert caught.value.reason is Reason.INVALID_ARGUMENT


def test_a_server_that_does_not_answer_is_not_said_to_be_overloaded():
    with pytest.raises(CollectionsError, match="Connection refused") as caught:
        open_database("postgresql+psycopg://nobody:hunter2@127.0.0.1:1/none")
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    assert "hunter2" not in str(caught.value)


def test_a_database_that_does_not_exist_is_named(postgres_server, tmp_path):
    missing = sa.engine.make_url(postgres_server).set(database="of_nobody").render_as_string(hide_password=False)
    with pytest.raises(CollectionsError, match='"of_nobody" does not exist') as caught:
        open_database(missing)
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    with pytest.raises(CollectionsError, match="unable to open database file") as caught:
        open_database(f"sqlite:///{tmp_path / 'no folder' / 'ledger.db'}")
    assert caught.value.reason is Reason.STORAGE_UNAVAILABLE


def test_a_held_sqlite_file_refuses_writers_and_serves_readers(tmp_path):
    path = tmp_path / "ledger.db"
    ledger = open_ledger(f"sqlite:///{path}", FolderObjectStore(tmp_path / "objects"))
    ledger.portfolios.add(PORTFOLIO)
    ledger.close()
    sa.event.listen(ledger.database._engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=0"))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert ledger.portfolios.get("p1") == PORTFOLIO
    with pytest.raises(CollectionsError) as caught:
        add(ledger)
    assert caught.value.reason is Reason.OVERLOADED
    holder.execute("ROLLBACK")
    holder.close()
    assert add(ledger).seq == 1
    ledger.close()


def test_missing_servers_are_skipped_with_a_reason():
    assert "no PostgreSQL installed" in why_not_started(None, False)
    assert "root" in why_not_started("/usr/bin/pg_ctl", True)
    assert why_not_started("/usr/bin/pg_ctl", False) == ""


@pytest.mark.parametrize("way", ["read", "write"])
def test_a_server_lost_before_the_end_of_a_transaction_is_a_refusal(new_database_url, way):
    database = open_database(new_database_url)
    if database.dialect == "sqlite":
        pytest.skip("a file has no server to lose")

    def lose_the_server():
        with getattr(database, way)() as connection, database.read() as other:
            lost = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            assert other.execute(sa.text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": lost}).scalar_one()
            if way == "write":
                connection.execute(sa.text("SELECT 1"))

    with pytest.raises(CollectionsError) as refused:
        lose_the_server()
    assert refused.value.reason is Reason.STORAGE_UNAVAILABLE
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1
    database.close()
