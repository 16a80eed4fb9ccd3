"""What every script shares: the product over its API, errors as plain sentences with an exit code, progress and tables."""

from __future__ import annotations

import getpass
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from collections_opt.api.v1.ranking_pb2 import Ranking
from collections_opt.cli.main import PROGRAM
from collections_opt.client.client import Client, connect
from collections_opt.client.connection import Connection
from collections_opt.client.rankings import get_ranking, latest_ranking
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress
from collections_opt.core.ranking.ranking_summary import RankingSummary
from collections_opt.core.shown_text import visible
from collections_opt.datasets.shipped import shipped

if TYPE_CHECKING:
    from collections_opt.application.workspace import Workspace

_SCRIPT = re.compile(r"python scripts/\w+\.py")

LATEST = "latest"
"""Names the newest recorded ranking by expected value."""

REFUSED = 2
"""Exit code of a refusal that the caller can act on."""

PIPED_WIDTH = 140
"""Columns of output that goes to a file or another program."""

DataOption = Annotated[Path, typer.Option(help="Data folder with ledger and objects; made on first use.")]
ModelsOption = Annotated[Path | None, typer.Option(help="Folder of model versions; default those of --data, else models.")]


RankingOption = Annotated[str, typer.Option(help="Id of the ranking; latest: the newest by expected value.")]


@dataclass(frozen=True)
class Product:
    """How a script reaches the product: a server by ``--address``, or the same API served in process over ``--data``.

    A script takes one as its first parameter; ``run`` turns its fields into the options below.
    """

    address: Annotated[str, typer.Option(help="host:port of a server; not given: serve --data in process.")] = ""
    data: Annotated[Path, typer.Option(help="Data folder to serve in process; made on first use.")] = Path("var/demo")
    models: ModelsOption = None
    tls_ca: Annotated[Path | None, typer.Option(help="PEM authority of the server's certificate.")] = None
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM certificate to show to the server (mTLS).")] = None
    tls_key: Annotated[Path | None, typer.Option(help="PEM key of that certificate.")] = None
    insecure_loopback: Annotated[bool, typer.Option("--insecure-loopback", help="Plaintext to a server on this machine.")] = False
    actor: Annotated[str, typer.Option(help="Your name, for the record; default in process: the user of this machine.")] = ""
    role: Annotated[str, typer.Option(help="Your role, for the record, such as OPERATIONS_MANAGER.")] = ""
    token: Annotated[Path | None, typer.Option(help="File of your token, for a server that asks for one.")] = None

    @contextmanager
    def connect(self) -> Iterator[Client]:
        """Open the API for the time of a block.

        Raises:
            CollectionsError: as ``Connection.channel`` and ``open_workspace``; INVALID_ARGUMENT for TLS flags without address.
        """
        if not self.address:
            self._refuse_connection_flags()
            with served(self.data, models_of(self.data, self.models)) as port, connect(self._local(port)) as client:
                yield client
            return
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
    """Return the recorded ranking that a person named, by id or as the latest."""
    return latest_ranking(client) if ranking_id == LATEST else get_ranking(client, ranking_id)


def models_of(data: Path, models: Path | None) -> Path:
    """Return the folder of model versions to use over a data folder: the one named, else its own, else the shipped one."""
    own = data / "models"
    return models or (own if (own / "registry.toml").exists() else shipped_models())


def shipped_models() -> Path:
    """Return the folder of the shipped models: that of the working folder where there is one, as in a checkout."""
    here = Path("models")
    return here if (here / "registry.toml").exists() else shipped("models")


def machine_user() -> str:
    """Return the login name of who runs a script; empty where the machine knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@contextmanager
def served(data: Path, models: Path) -> Iterator[int]:
    """Serve a data folder on a free loopback port for the time of a block; yield the port."""
    # Imported here: a script that asks a remote server starts without models, solvers and database.
    from collections_opt.service.server.build import ServerOptions, build_server  # noqa: PLC0415
    from collections_opt.service.server.services import all_services  # noqa: PLC0415

    with opened(data, models) as workspace:
        built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True))
        built.start()
        try:
            yield built.port
        finally:
            built.stop(10.0)


def run(command: Callable[..., Any]) -> None:
    """Run a typer command; a refusal prints what to do next and exits with ``REFUSED``.

    A first parameter annotated ``Product`` becomes the options of its fields.
    """
    app = typer.Typer(add_completion=False)
    app.command()(_with_product_options(_named_as_called(command)))
    with _left_at_once(), _refusals():
        app(prog_name=_called_as())


def run_commands(purpose: str, *commands: Callable[..., Any]) -> None:
    """Run one of several typer commands, named as their functions with hyphens; refusals and ``Product`` as in ``run``."""
    app = typer.Typer(help=purpose, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    for command in commands:
        name = command.__name__.removesuffix("_command").replace("_", "-")
        app.command(name)(_with_product_options(_named_as_called(command)))
    with _left_at_once(), _refusals():
        app(prog_name=_called_as())


def _called_as() -> str | None:
    """Return the program's name where it runs as a command of ``collections-opt``."""
    return sys.argv[0] if sys.argv[0].startswith(f"{PROGRAM} ") else None


def _named_as_called(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let the example in a command's help name the program that shows it."""
    if called := _called_as():
        command.__doc__ = _SCRIPT.sub(called, command.__doc__ or "")
    return command


@contextmanager
def _left_at_once() -> Iterator[None]:
    """End the process without tearing the interpreter down where a file was read with Arrow.

    Arrow's threads let go of Python's objects when they come to it. One that does so while the interpreter ends is stopped in the
    midst, which aborts the process after its work is done and told. Only a process that was started for the script is its to end.
    """
    try:
        yield
    except SystemExit as ended:
        code = 0 if ended.code is None else ended.code
        started_for_it = sys.argv[0] in sys.orig_argv or _called_as() is not None
        if not started_for_it or "pyarrow.csv" not in sys.modules or not isinstance(code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except CollectionsError as error:
        PlainConsole(stderr=True, highlight=False).print(f"{error.reason}: {error}", style="red")
        sys.exit(REFUSED)


def _with_product_options(command: Callable[..., Any]) -> Callable[..., Any]:
    hints = get_type_hints(command, include_extras=True)
    own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(command).parameters.values()]
    if not own or own[0].annotation is not Product:
        return command
    product_hints = get_type_hints(Product, include_extras=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    taken = {p.name for p in own}  # a script's own option of the same name stays
    offered = [f for f in fields(Product) if f.name not in taken]
    reach = [inspect.Parameter(f.name, kind, default=f.default, annotation=product_hints[f.name]) for f in offered]

    def expanded(**given: Any) -> Any:
        product = Product(**{p.name: given.pop(p.name) for p in reach})
        return command(product, **given)

    expanded.__name__, expanded.__doc__ = command.__name__, command.__doc__
    parameters = [*(p.replace(kind=kind) for p in own[1:]), *reach]
    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {p.name: p.annotation for p in parameters}
    return expanded


def now() -> datetime:
    """Return the time of day, UTC; the only clock of the scripts."""
    return datetime.now(UTC)


@contextmanager
def opened(data: Path, models: Path, database_url: str = "", objects_url: str = "") -> Iterator[Workspace]:
    """Open a data folder itself for the time of a block, for what works on records and not over the API."""
    from collections_opt.application.logs import write_logs_to  # noqa: PLC0415 - see ``served``
    from collections_opt.application.workspace import open_workspace  # noqa: PLC0415

    write_logs_to(sys.stderr)
    workspace = open_workspace(data, models, now, database_url, objects_url=objects_url)
    try:
        yield workspace
    finally:
        workspace.close()


@contextmanager
def progress_bar(title: str) -> Iterator[ProgressCallback]:
    """Show progress on standard error for the time of a step."""
    with PlainProgress() as bar:
        task = bar.add_task(title, total=1.0)

        def report(progress: SolveProgress) -> None:
            gap = "" if progress.gap is None else f", at most {progress.gap:.1g} from the best"
            bar.update(task, completed=progress.fraction, description=f"{title}: {progress.stage}{gap}")

        yield report


class PlainConsole(Console):
    """Prints texts as they are: no markup is read in them, and no character in them acts on the terminal or hides."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as rich prints it: tables, titles and lines all come through here."""
        return super().render_str(visible(text, lines=True), **options)


class PlainProgress(Progress):
    """A bar on standard error whose descriptions are texts as they are; rich reads markup in them, and stops at what is none."""

    def __init__(self) -> None:
        super().__init__(console=PlainConsole(stderr=True), transient=True)

    @classmethod
    def get_default_columns(cls) -> tuple[ProgressColumn, ...]:
        """Return rich's columns with a plain description."""
        return (_Description("", style="progress.description"), *super().get_default_columns()[1:])


class _Description(TextColumn):
    def render(self, task: Task) -> Text:
        return Text(visible(task.description), style=self.style)


def terminal(record: bool = False) -> PlainConsole:
    """Return where scripts print: as wide as the terminal, and wide enough for every table where there is none.

    ``record`` keeps what is printed, for a picture.
    """
    wide = sys.stdout.isatty() or "COLUMNS" in os.environ
    return PlainConsole(record=record) if wide else PlainConsole(width=PIPED_WIDTH, record=record)


def show_warnings(console: Console, summary: RankingSummary) -> None:
    """Print what a person must know before trusting a ranking."""
    for warning in summary.warnings:
        console.print(f"WARNING: {warning}", style="bold yellow", highlight=False, markup=False)


def table(title: str, header: Sequence[str], lines: Sequence[Sequence[str]], text_columns: int = 1) -> Table:
    """Return a table; the first columns are text, and so is any later one that holds words; the rest are figures."""
    result = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for index, name in enumerate(header):
        figures = index >= text_columns and all(line[index][:1] in "0123456789+-" for line in lines)
        widest_word = max(map(len, name.split()), default=0)
        result.add_column(
            name,
            justify="right" if figures else "left",
            no_wrap=index == 0,
            overflow="fold",
            min_width=widest_word,
        )
    for line in lines:
        result.add_row(*map(visible, line))
    return result
