"""A PostgreSQL of one's own that may be restarted at any moment; started as another user when this one is root."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

import sqlalchemy as sa

OTHER_USER = "postgres"


def binaries() -> Path | None:
    """Return the folder of the newest installed server."""
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    newest = max(installed, key=lambda path: int(path.parts[-2].split(".")[0]), default=None)
    found = shutil.which("initdb")
    return newest or (Path(found).parent if found else None)


def why_not() -> str:
    """Return why no server can be started here, empty when one can."""
    if binaries() is None:
        return "no PostgreSQL is installed"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(OTHER_USER)
        except KeyError:
            return f"PostgreSQL refuses root, and there is no user {OTHER_USER}"
    return ""


class PrivatePostgres:
    """A server in a temporary folder, reached over loopback without password; durable as by default."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="private-postgres-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.restarts = 0

    def __enter__(self) -> PrivatePostgres:
        if os.geteuid() == 0:
            user = pwd.getpwnam(OTHER_USER)
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", self._folder / "log", "-o", self._options)
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", self._data)
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _options(self) -> str:
        return f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"

    def restart(self) -> None:
        """Restart without waiting for anybody, as after a crash; returns when the server answers again."""
        self.restarts += 1
        self._run("pg_ctl", "restart", "-w", "-m", "immediate", "-D", self._data, "-l", self._folder / "log", "-o", self._options)

    def new_database(self) -> str:
        """Return the URL of an empty database."""
        name = f"faults_{uuid.uuid4().hex[:12]}"
        server = f"postgresql+psycopg://postgres@127.0.0.1:{self._port}"
        admin = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        return f"{server}/{name}"

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(binaries() / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", OTHER_USER, "--", *command]
        # The server inherits what is open: a pipe would keep this process waiting for its end.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
            if done.returncode:
                said.seek(0)
                raise RuntimeError(f"{program}: {said.read().decode(errors='replace')}")
