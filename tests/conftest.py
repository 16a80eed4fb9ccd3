"""Where tests keep their files, and databases for them: a SQLite file, and PostgreSQL where one is to be had."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from pytest_postgresql import factories

from tests.support.databases import made_database, named_server, pg_ctl_found, why_not_started

MEMORY = Path("/dev/shm")
LEAST_FREE_BYTES = 4 * 2**30


def _use_memory_for_files() -> None:
    """Keep the files of tests, and of every process that they start, in memory where there is room and nobody said where.

    A ledger waits for the disk at every commit. What is synced, and in which order, is the same here.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < LEAST_FREE_BYTES:
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


_use_memory_for_files()
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


@pytest.fixture
def postgres_url(postgres_server):
    """Return the URL of an empty PostgreSQL database, dropped after the test."""
    with made_database(postgres_server) as url:
        yield url
