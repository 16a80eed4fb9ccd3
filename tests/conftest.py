"""Databases for tests: a SQLite file, and PostgreSQL where one is to be had."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from pytest_postgresql import factories

CI_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/test"
VARIABLE = "COLLECTIONS_OPT_TEST_POSTGRES"


def _pg_ctl() -> str | None:
    """Return the newest installed pg_ctl; distributions keep it off the path."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")
    newest = max(installed, key=lambda path: int(path.parts[-3].split(".")[0]), default=None)
    return shutil.which("pg_ctl") or (str(newest) if newest else None)


def why_not_started(pg_ctl: str | None, is_root: bool) -> str:
    """Return why no server can be started here, empty when one can."""
    if pg_ctl is None:
        return f"no PostgreSQL installed: set {VARIABLE} to a SQLAlchemy URL such as {CI_SERVER}"
    if is_root:
        return f"initdb refuses to run as root: use another user, or set {VARIABLE} to a URL such as {CI_SERVER}"
    return ""


def named_server(environment: dict[str, str]) -> str:
    """Return the server that the environment names, empty for none; in CI there is one and it must answer."""
    return environment.get(VARIABLE, "") or (CI_SERVER if environment.get("CI") == "true" else "")


started_postgres = factories.postgresql_proc(executable=_pg_ctl(), port=None)


@pytest.fixture(scope="session")
def postgres_server(request):
    """Return the URL of a PostgreSQL server: named by the environment, or started from installed binaries, else say why not."""
    named = named_server(dict(os.environ))
    if named:
        return named
    reason = why_not_started(_pg_ctl(), os.geteuid() == 0)
    if reason:
        pytest.skip(reason)
    server = request.getfixturevalue("started_postgres")
    return f"postgresql+psycopg://{server.user}@{server.host}:{server.port}/postgres"


@contextmanager
def made_database(server: str):
    """Yield the URL of an empty database of a PostgreSQL server, dropped after the body."""
    name = f"collections_opt_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.engine.make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """Return the URL of an empty database, dropped after the test."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    with made_database(request.getfixturevalue("postgres_server")) as url:
        yield url
