"""Databases for tests: a SQLite file, and PostgreSQL where one is to be had."""

from __future__ import annotations

import os

import pytest
from pytest_postgresql import factories

from tests.support.databases import made_database, named_server, pg_ctl_found, why_not_started

started_postgres = factories.postgresql_proc(executable=pg_ctl_found(), port=None)


@pytest.fixture(scope="session")
def postgres_server(request):
    """Return the URL of a PostgreSQL server: named by the environment, or started from installed binaries, else say why not."""
    named = named_server(dict(os.environ))
    if named:
        return named
    reason = why_not_started(pg_ctl_found(), os.geteuid() == 0)
    if reason:
        pytest.skip(reason)
    server = request.getfixturevalue("started_postgres")
    return f"postgresql+psycopg://{server.user}@{server.host}:{server.port}/postgres"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """Return the URL of an empty database, dropped after the test."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    with made_database(request.getfixturevalue("postgres_server")) as url:
        yield url
