"""A PostgreSQL server where one is to be had, and databases of it that last for a test."""

from __future__ import annotations

import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

CI_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/test"
VARIABLE = "COLLECTIONS_OPT_TEST_POSTGRES"


def pg_ctl_found() -> str | None:
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
