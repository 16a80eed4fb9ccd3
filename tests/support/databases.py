"""A PostgreSQL server where one is to be had, and databases of it that last for a test."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from collections_opt.ledger.store.database import Database, open_database

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


ADMIN = {"isolation_level": "AUTOCOMMIT"}
SHAPE = """
SELECT md5(string_agg(line, chr(10) ORDER BY line)) FROM (
  SELECT format('%s %s %s %s', c.relname, c.relkind, c.relacl, c.relrowsecurity) AS line
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT format('%s %s %s %s %s', attrelid::regclass, attname, atttypid, attnotnull, attisdropped)
    FROM pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
  UNION ALL SELECT format('%s %s %s', t.tgrelid::regclass, t.tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t
  UNION ALL SELECT format('%s %s', p.proname, md5(p.prosrc)) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
  UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT format('schema %s', nspacl) FROM pg_namespace WHERE nspname = 'public'
  UNION ALL SELECT 'revision ' || version_num FROM public.alembic_version
) shape
"""
"""Everything of a ledger's schema but its rows, as one digest: tables, columns, triggers, functions, constraints, grants."""


EMPTIED = """
DO $$ DECLARE guard text := pg_get_functiondef('public.refuse_change'::regproc); each text; has_rows boolean; BEGIN
  CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  FOR each IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE 'SELECT EXISTS (SELECT FROM public.' || each || ')' INTO has_rows;
    IF has_rows THEN EXECUTE 'TRUNCATE public.' || each || ' RESTART IDENTITY CASCADE'; END IF;
  END LOOP;
  EXECUTE guard;
END $$
"""
"""Empties tables whose triggers guard against exactly this: the guard sleeps within the transaction."""


class Databases:
    """Databases of a PostgreSQL server that tests take in turn: to make and drop one for each took longer than most tests.

    What a test leaves is taken away before the next: its rows where the schema is what migrations make, else the whole schema.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._free: list[str] = []
        self._all: list[str] = []
        self._shape = ""

    @contextmanager
    def taken(self):
        """Yield the URL of a database with the ledger's schema and no row."""
        url = self._free.pop() if self._free else self._made()
        yield url
        self._cleared(url)
        self._free.append(url)

    def close(self) -> None:
        """Drop them all."""
        admin = sa.create_engine(self._server, **ADMIN)
        with admin.connect() as connection:
            for url in self._all:
                connection.execute(sa.text(f"DROP DATABASE {sa.engine.make_url(url).database} WITH (FORCE)"))
        admin.dispose()

    def _made(self) -> str:
        name = f"collections_opt_{uuid.uuid4().hex}"
        admin = sa.create_engine(self._server, **ADMIN)
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
            # Nobody pulls the plug of a test's server: what is committed, and in which order, is the same without waiting.
            connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        admin.dispose()
        url = sa.engine.make_url(self._server).set(database=name).render_as_string(hide_password=False)
        self._all.append(url)
        open_database(url).close()
        if not self._shape:
            owner = sa.create_engine(url, **ADMIN)
            with owner.connect() as connection:
                self._shape = _shape(connection)
            owner.dispose()
        return url

    def _cleared(self, url: str) -> None:
        owner = sa.create_engine(url, **ADMIN)
        with owner.connect() as connection:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
            same = _shape(connection) == self._shape
            if same:
                connection.exec_driver_sql(EMPTIED)
            else:
                connection.execute(sa.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
        owner.dispose()
        if not same:
            open_database(url).close()


def _shape(connection) -> str:
    """Return the digest of a schema, "" where no migration ever ran."""
    if connection.execute(sa.text("SELECT to_regclass('public.alembic_version')")).scalar() is None:
        return ""
    return connection.execute(sa.text(SHAPE)).scalar()


BEGIN, MIGRATED = Database.__init__, Database.migrate


@cache
def migrated_bytes() -> bytes:
    """Return the file of a database that the migrations made and nobody wrote to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migrated.db"
        database = Database(sa.create_engine(f"sqlite:///{path}"))
        MIGRATED(database)
        database.close()
        return path.read_bytes()


class Statements(dict[Any, Any]):
    """Compiled statements that the engines of a process share: SQLAlchemy keeps them by engine, and tests open hundreds.

    What a statement becomes hangs on the kind of database, its driver and the server's version, never on which engine asks.
    """

    def get(self, key, default=None):
        """Return a compiled statement."""
        return super().get(self._of_its_kind(key), default)

    def __setitem__(self, key, compiled):
        """Keep a compiled statement."""
        super().__setitem__(self._of_its_kind(key), compiled)

    @staticmethod
    def _of_its_kind(key):
        dialect, *statement = key
        return type(dialect), dialect.server_version_info, *statement


STATEMENTS = Statements()


def begin_migrated() -> None:
    """Do once what every ledger of this process needs: new SQLite files begin as copies, engines share compiled statements.

    The migrations are asked all the same; they find that nothing is left to do.
    """

    def begin(database, engine):
        engine.update_execution_options(compiled_cache=STATEMENTS)
        BEGIN(database, engine)

    def migrate(database):
        path = database.file
        if path is not None and path.parent.is_dir() and not path.exists() and path.name != ":memory:":
            path.write_bytes(migrated_bytes())
        MIGRATED(database)

    Database.__init__ = begin
    Database.migrate = migrate
