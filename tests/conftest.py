"""Databases for tests: a SQLite file, and PostgreSQL where one is to be had."""

from __future__ import annotations

import os
import uuid

import pytest
import sqlalchemy as sa

CI_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/test"
VARIABLE = "COLLECTIONS_OPT_TEST_POSTGRES"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """Return the URL of an empty database; PostgreSQL runs in CI and where the variable names a server, else says it skips."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server = os.environ.get(VARIABLE) or (CI_SERVER if os.environ.get("CI") == "true" else "")
    if not server:
        pytest.skip(f"no PostgreSQL: set {VARIABLE} to a SQLAlchemy URL such as {CI_SERVER}")
    name = f"collections_opt_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.engine.make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
