"""The product as commands reach it: a server by its address, or the same API served in process over a data folder."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collections_opt.api.v1.ranking_pb2 import Ranking
from collections_opt.client.client import Client, connect
from collections_opt.client.connection import Connection
from collections_opt.client.rankings import get_ranking, headline, ranking_in_force
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.shown_text import visible
from collections_opt.datasets.shipped import shipped

if TYPE_CHECKING:
    from collections_opt.application.records.opening import Whereabouts
    from collections_opt.application.workspace import Workspace
    from collections_opt.engines import Engine

IN_FORCE = "in-force"
"""Names the ranking that a desk works: the newest made to be worked, of the newest day."""

_IN_FORCE = re.compile(r"(in-force|latest)(:(?P<desk>[^@]+))?(@(?P<day>.+))?")

DataOption = Annotated[Path, typer.Option(help="Data folder with ledger and objects; a new one begins in an empty folder.")]
ModelsOption = Annotated[Path | None, typer.Option(help="Folder of model versions; default those of --data, else models.")]


RankingOption = Annotated[str, typer.Option(help="Id of the ranking; in-force, in-force:DESK or in-force:DESK@DAY is worked.")]


@dataclass(frozen=True)
class Product:
    """How a script reaches the product: a server by ``--address``, or the same API served in process over ``--data``.

    A script takes one as its first parameter; ``run`` turns its fields into the options below.
    """

    address: Annotated[str, typer.Option(help="host:port of a server; not given: serve --data in process.")] = ""
    data: Annotated[Path, typer.Option(help="Data folder to serve in process; a new one begins in an empty folder.")] = Path(
        "var/demo"
    )
    models: ModelsOption = None
    tls_ca: Annotated[Path | None, typer.Option(help="PEM authority of the server's certificate.")] = None
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM certificate to show to the server (mTLS).")] = None
    tls_key: Annotated[Path | None, typer.Option(help="PEM key of that certificate.")] = None
    insecure_loopback: Annotated[bool, typer.Option("--insecure-loopback", help="Plaintext to a server on this machine.")] = False
    actor: Annotated[str, typer.Option(help="Your name, for the record; default in process: the user of this machine.")] = ""
    role: Annotated[str, typer.Option(help="Your role, for the record, such as OPERATIONS_MANAGER.")] = ""
    token: Annotated[Path | None, typer.Option(help="File of your token, for a server that asks for one.")] = None

    @contextmanager
    def connect(self, may_make: bool = False, engine: Engine | None = None) -> Iterator[Client]:
        """Open the API for the time of a block.

        Args:
            may_make: whether the command may make a data folder that is not there; elsewhere it was misspelt.
            engine: where rankings are made when the API is served in process; None for this process.

        Raises:
            CollectionsError: as ``require_ledger``, ``Connection.channel`` and ``open_workspace``; INVALID_ARGUMENT for TLS
                flags without address.
        """
        if not self.address:
            self._refuse_connection_flags()
            if not may_make:
                require_ledger(self.data)
            with served(self.data, models_of(self.data, self.models), engine) as port, connect(self._local(port)) as client:
                yield client
            return
        if engine is not None:
            raise refuse(Reason.INVALID_ARGUMENT, "engine", "is the server's own.", "Start serve with --engine, or leave it out.")
        tls = (self.tls_ca, self.tls_certificate, self.tls_key)
        connection = Connection(self.address, *tls, self.insecure_loopback, self.actor, self.role, self.token)
        with connect(connection) as client:
            yield client

    def _local(self, port: int) -> Connection:
        actor = self.actor or machine_user()
        return Connection(f"127.0.0.1:{port}", insecure_loopback=True, actor=actor, role=self.role)

    def _refuse_connection_flags(self) -> None:
        if self.tls_ca or self.tls_certificate or self.tls_key or self.insecure_loopback or self.token:
            raise refuse(Reason.INVALID_ARGUMENT, "address", "is missing beside connection flags.", "Give --address host:port.")


def named_ranking(client: Client, ranking_id: str) -> Ranking:
    """Return the recorded ranking that a person named, by id or as the one in force, which standard error then names.

    Raises:
        CollectionsError: as ``get_ranking`` and ``ranking_in_force``; INVALID_ARGUMENT for a day that is none.
    """
    named = _IN_FORCE.fullmatch(ranking_id)
    if named is None:
        return get_ranking(client, ranking_id)
    try:
        day = date.fromisoformat(named["day"]) if named["day"] else None
    except ValueError as error:
        raise refuse(Reason.INVALID_ARGUMENT, "--ranking", f"{named['day'][:40]!r} is no day.", "Write 2026-11-27.") from error
    found = ranking_in_force(client, named["desk"] or "", day)
    typer.echo(f"In force: {visible(headline(found))}", err=True)
    return found


def models_of(data: Path, models: Path | None) -> Path:
    """Return the folder of model versions to use over a data folder: the one named, else its own, else the shipped one."""
    own = data / "models"
    return models or (own if (own / "registry.toml").exists() else shipped_models())


def shipped_models() -> Path:
    """Return the folder of the shipped models: that of the working folder where there is one, as in a checkout."""
    here = Path("models")
    return here if (here / "registry.toml").exists() else shipped("models")


BEGINNING = ("models", "keys")
"""What a data folder may hold before its ledger."""


def require_ledger(data: Path) -> None:
    """Refuse a folder that holds no ledger and does not look like the beginning of one: it was misspelt.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    if (data / "ledger.db").is_file():
        return
    if not data.is_dir():
        remedy = "Check the spelling. For a new ledger make the folder first; demo and import make it themselves."
        raise refuse(Reason.NOT_FOUND, "data", f"there is no folder {data}.", remedy)
    others = sorted(path.name for path in data.iterdir() if path.name not in BEGINNING)
    if others:
        raise refuse(
            Reason.NOT_FOUND,
            "data",
            f"{data} holds no ledger, but {others[0]}.",
            "Check the spelling; a new ledger begins in an empty folder.",
        )


def machine_user() -> str:
    """Return the login name of who runs a script; empty where the machine knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@contextmanager
def served(data: Path, models: Path, engine: Engine | None = None) -> Iterator[int]:
    """Serve a data folder on a free loopback port for the time of a block; yield the port.

    ``engine`` is where rankings are made; None for this process.
    """
    # Imported here: a script that asks a remote server starts without models, solvers and database.
    from collections_opt.service.server.build import ServerOptions, build_server  # noqa: PLC0415
    from collections_opt.service.server.services import all_services  # noqa: PLC0415

    with opened(data, models, may_make=True) as workspace:
        if engine is not None:
            engine.start()
        workspace.rankings.engine = engine
        built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True))
        built.start()
        try:
            yield built.port
        finally:
            built.stop(10.0)


def now() -> datetime:
    """Return the time of day, UTC; the only clock of the scripts."""
    return datetime.now(UTC)


@contextmanager
def opened(data: Path, models: Path, elsewhere: Whereabouts | None = None, may_make: bool = False) -> Iterator[Workspace]:
    """Open a data folder itself for the time of a block, for what works on records and not over the API.

    ``elsewhere`` says where its parts are that are not in the folder; ``may_make`` as ``Product.connect``.
    """
    from collections_opt.application.logs import write_logs_to  # noqa: PLC0415 - see ``served``
    from collections_opt.application.workspace import open_workspace  # noqa: PLC0415

    write_logs_to(sys.stderr)
    if elsewhere is None and not may_make:
        require_ledger(data)
    at = elsewhere
    if at is None:
        workspace = open_workspace(data, models, now)
    else:
        workspace = open_workspace(data, models, now, at.database_url, at.keys, at.checkpoints_at, objects_url=at.objects_url)
    try:
        yield workspace
    finally:
        workspace.close()
