"""On PostgreSQL the service can read and add and nothing else, whatever it tries."""

import uuid

import pytest
import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.store.database import open_database
from collections_opt.ledger.store.roles import grant_roles, role_statements
from collections_opt.ledger.store.schema import APPEND_ONLY, OVERWRITTEN
from tests.support.ledger.ledgers import add, fill


@pytest.fixture
def roles(new_database_url):
    """Return the URLs of the service and the eraser of a migrated ledger."""
    url = sa.engine.make_url(new_database_url)
    if url.get_backend_name() == "sqlite":
        pytest.skip("SQLite has no roles")
    suffix = uuid.uuid4().hex[:10]
    names = [f"service_{suffix}", f"eraser_{suffix}"]
    owner = open_database(new_database_url)
    assert grant_roles(owner, *names) == names
    assert grant_roles(owner, *names) == []
    with owner.write() as connection:
        for name in names:
            connection.exec_driver_sql(f"ALTER ROLE {name} LOGIN")
    yield [url.set(username=name).render_as_string(hide_password=False) for name in names]
    with owner.write() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP OWNED BY {name}; DROP ROLE {name}")
    owner.close()


def refused(url, statement):
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
            connection.rollback()
    except sa.exc.DBAPIError as error:
        return str(error.orig)
    finally:
        engine.dispose()
    return ""


def test_the_service_records_a_whole_day(roles, tmp_path):
    ledger = open_ledger(roles[0], FolderObjectStore(tmp_path))
    fill(ledger)
    assert add(ledger, "r9").seq == 3
    assert ledger.chain.verify() == ledger.log.verify() == []
    ledger.close()


def test_the_service_cannot_change_what_it_recorded(roles, tmp_path):
    ledger = open_ledger(roles[0], FolderObjectStore(tmp_path))
    fill(ledger)
    ledger.close()
    statements = []
    for name in (*APPEND_ONLY, *OVERWRITTEN):
        statements += [
            f"DELETE FROM {name}",
            f"TRUNCATE {name} CASCADE",
            f"ALTER TABLE {name} DISABLE TRIGGER ALL",
            f"DROP TABLE {name} CASCADE",
        ]
    statements += ["UPDATE rankings SET record = record", "SET session_replication_role = replica"]
    statements += ["CREATE TABLE mine (a int)", "DROP FUNCTION refuse_change CASCADE", "DELETE FROM alembic_version"]
    let_through = [s for s in statements if not any(w in refused(roles[0], s) for w in ("permission denied", "must be owner"))]
    assert let_through == []


def test_the_eraser_may_do_what_an_erasure_does_and_no_more(roles):
    assert refused(roles[1], "DELETE FROM erasure_permits") == ""
    assert refused(roles[1], "UPDATE subject_key_blocks SET keys = keys") == ""
    assert "permission denied" in refused(roles[1], "UPDATE rankings SET record = record")
    assert "permission denied" in refused(roles[1], "DELETE FROM rankings")


def test_a_grant_too_many_is_noticed(roles, new_database_url):
    engine = sa.create_engine(new_database_url)
    service = sa.engine.make_url(roles[0]).username
    with engine.begin() as connection:
        connection.exec_driver_sql(f"GRANT DELETE ON models TO {service}")
    engine.dispose()
    assert "permission denied" not in refused(roles[0], "DELETE FROM models")


@pytest.mark.parametrize("names", [("Robert'); DROP", "b"), ("a", ""), ("same", "same")])
def test_names_that_are_none_are_refused(names):
    with pytest.raises(CollectionsError) as caught:
        role_statements(*names)
    assert caught.value.reason is Reason.INVALID_ARGUMENT


def test_roles_need_a_server_and_another_name_than_the_owners(new_database_url):
    database = open_database(new_database_url)
    with pytest.raises(CollectionsError) as caught:
        grant_roles(database, sa.engine.make_url(new_database_url).username or "anybody", "somebody")
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    database.close()
