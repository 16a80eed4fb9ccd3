"""Serve the gRPC API over a data folder until interrupted.

Example:
    python scripts/serve.py --data var/demo --models var/demo/models --port 50051 --insecure-loopback
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from wsgiref.simple_server import WSGIServer

import typer
from prometheus_client import start_http_server

from collections_opt.application.settings import read_parameters
from collections_opt.cli.common.console_options import ConsolePages, OpenIdSignIn, console_of
from collections_opt.cli.common.engine import DEFAULT_MASTER, EngineName, EngineOption, FolderOption, MasterOption, engine_of
from collections_opt.cli.common.product import ModelsOption, machine_user, models_of, now, opened
from collections_opt.cli.common.running import Prefix, run
from collections_opt.cli.common.signals import signals_caught
from collections_opt.cli.common.stores import Stores
from collections_opt.client.connection import Connection
from collections_opt.core.actors import Actor, ActorRole
from collections_opt.core.errors import Reason, refuse
from collections_opt.service.access.roles import Access
from collections_opt.service.access.tokens import AUDIENCE, TokenChecker, issuer_keys
from collections_opt.service.metrics import ServerMetrics
from collections_opt.service.server.build import ServerOptions, TlsFiles, build_server
from collections_opt.service.server.memory import give_large_arrays_back
from collections_opt.service.server.services import all_services
from collections_opt.wire.byte_budget import ByteBudget

if TYPE_CHECKING:
    from collections_opt.console.serving import ConsoleServer

SWITCH_SECONDS = 0.0005
"""A busy worker hands the interpreter over after that, a tenth of Python's own: the edge waits for it before every call."""


def main(
    stores: Stores,
    pages: Annotated[ConsolePages, Prefix("console")],
    sign_in: OpenIdSignIn,
    models: ModelsOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 50051,
    tls_key: Annotated[Path | None, typer.Option(help="PEM key of the server.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM certificate of the server.")] = None,
    tls_client_ca: Annotated[Path | None, typer.Option(help="PEM authority of client certificates (mTLS).")] = None,
    tls_client_name: Annotated[
        list[str] | None,
        typer.Option(help="Name in a client certificate that is let in, '*' for any part; repeatable. Default: all."),
    ] = None,
    parameters: Annotated[
        Path | None, typer.Option(help="TOML file of value parameters to keep in place of the shipped ones.")
    ] = None,
    token_keys: Annotated[
        str, typer.Option(help="JWK set of who issues tokens, a file or https address; with it every call needs one.")
    ] = "",
    token_issuer: Annotated[str, typer.Option(help="Issuer that tokens must name.")] = "",
    token_audience: Annotated[str, typer.Option(help="Audience that tokens must name.")] = AUDIENCE,
    token_role_claim: Annotated[
        str, typer.Option(help="Claim that names the role; dots lead into claims of claims: realm_access.roles.")
    ] = "role",  # noqa: S107 - the name of a claim
    token_role: Annotated[
        list[str] | None, typer.Option(help="A role by its issuer's name: collections-managers=OPERATIONS_MANAGER; repeatable.")
    ] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Port of Prometheus metrics over HTTP; none by default.")] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics; they hold no account or person.")] = "127.0.0.1",
    console_port: Annotated[int | None, typer.Option(help="Port of a console beside it; none by default.")] = None,
    import_gib: Annotated[float, typer.Option(help="GiB of memory that one import may hold; all together: half again.")] = 4.0,
    engine: EngineOption = EngineName.HERE,
    master: MasterOption = DEFAULT_MASTER,
    engine_folder: FolderOption = "",
    engine_from: Annotated[int, typer.Option(min=1, help="Fewest accounts of a ranking that the engine makes.")] = 1_000_000,
    insecure_loopback: Annotated[bool, typer.Option("--insecure-loopback", help="Plaintext, on loopback only.")] = False,
) -> None:
    """Serve the API; the first line printed names the address, SIGTERM and SIGINT end it after running calls.

    Example: python scripts/serve.py --data var/demo --port 50051 --insecure-loopback
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    give_large_arrays_back()
    tls = TlsFiles(tls_key, tls_certificate, tls_client_ca) if tls_key and tls_certificate else None
    wait_for_the_end = signals_caught()
    at, models = stores.whereabouts(), models_of(stores.data, models)
    values = read_parameters(parameters) if parameters else None
    parts = engine_folder or str((stores.data / "engine").absolute())
    with engine_of(engine, master, parts, engine_from) as made_on, opened(stores.data, models, at) as workspace:
        if made_on is not None:
            made_on.start()
        workspace.rankings.engine = made_on
        halted = workspace.ledger.database.halted
        if halted:
            typer.echo(f"READING ONLY: {halted}", err=True)
        elif values:
            workspace.values.declare(values, Actor(machine_user() or "operator"))
        known = access_of(token_keys, token_issuer, token_audience, token_role_claim, token_role)
        access = replace(known, systems=systems_of(tls_client_name, tls_client_ca))
        options = ServerOptions(host=host, port=port, tls=tls, insecure_loopback=insecure_loopback, access=access)
        services = all_services(workspace, metrics=options.metrics, imports=import_budget(import_gib))
        built = build_server(services, options)
        watched = metrics_endpoint(options.metrics, metrics_host, metrics_port)
        for ranking_id in workspace.day.openings.open_worked():
            typer.echo(f"opened {ranking_id}, which is in work", err=True)
        built.start()
        if not halted:
            workspace.rankings.recover()
        gc.collect()
        gc.freeze()  # what was loaded stays: walking it again and again took a third of a call with a thousand accounts
        typer.echo(f"serving on {host}:{built.port}")
        if watched:
            typer.echo(f"metrics on http://{metrics_host}:{watched.server_port}/metrics")
        beside = Connection(f"127.0.0.1:{built.port}", insecure_loopback=insecure_loopback)
        console = console_beside(console_port, beside, pages, sign_in)
        wait_for_the_end()
        if console:
            console.stop(5.0)
        built.stop(10.0)
        if watched:
            watched.shutdown()
    typer.echo("stopped")


def import_budget(gib: float) -> ByteBudget:
    """Return what imports may hold."""
    if not 0.0 < gib < 1e6:
        raise refuse(Reason.INVALID_ARGUMENT, "import_gib", f"is {gib:g}.", "Give gibibytes, above zero.")
    return ByteBudget(int(gib * 2**30), int(1.5 * gib * 2**30))


def console_beside(port: int | None, connection: Connection, pages: ConsolePages, sign_in: OpenIdSignIn) -> ConsoleServer | None:
    """Show the console of this server where a port is given; 0 takes a free one.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a server that speaks TLS, whose names and authority it does not know, for a
            provider without a console, and as ``console_of``.
    """
    if port is None:
        if sign_in.openid_issuer:
            told = "is given to a server without a console."
            raise refuse(Reason.INVALID_ARGUMENT, "openid_issuer", told, "Give --console-port too.")
        return None
    if not connection.insecure_loopback:
        remedy = "Run console beside it, with --address, --tls-ca and a certificate to show to browsers."
        raise refuse(Reason.INVALID_ARGUMENT, "console_port", "goes with --insecure-loopback alone.", remedy)
    return console_of(connection, port, pages, sign_in)


def metrics_endpoint(metrics: ServerMetrics, host: str, port: int | None) -> WSGIServer | None:
    """Show metrics over HTTP where a port is given; 0 takes a free one."""
    if port is None:
        return None
    try:
        return start_http_server(port, host, metrics.registry)[0]
    except OSError as error:
        place = f"{host}:{port} cannot be bound: {error.strerror}."
        raise refuse(Reason.INVALID_ARGUMENT, "metrics_port", place, "Free it or choose another.") from error


def systems_of(names: list[str] | None, client_ca: Path | None) -> tuple[str, ...]:
    """Return the names of certificates that are let in."""
    if names and client_ca is None:
        remedy = "Give --tls-client-ca, which checks the certificates that bear the names."
        raise refuse(Reason.INVALID_ARGUMENT, "tls_client_name", "is given without an authority of clients.", remedy)
    return tuple(names or ())


def access_of(
    token_keys: str, issuer: str, audience: str, role_claim: str = "role", roles: Sequence[str] | None = None
) -> Access:
    """Return who may call: everybody who can connect, or with keys whoever shows a token in a role that may."""
    if not token_keys:
        return Access()
    if not issuer:
        raise refuse(Reason.INVALID_ARGUMENT, "token_issuer", "is missing beside token_keys.", "Name the issuer of the tokens.")
    return Access(TokenChecker(issuer_keys(token_keys, now), issuer, audience, now, role_claim, _roles(roles or ())))


def _roles(given: Sequence[str]) -> dict[str, ActorRole]:
    """Return roles by the issuer's names."""
    found = {}
    for one in given:
        theirs, _, ours = one.rpartition("=")
        if not theirs or ours not in set(ActorRole):
            remedy = f"Write NAME=ROLE, with a role of {', '.join(ActorRole)}."
            raise refuse(Reason.INVALID_ARGUMENT, "token_role", f"{one[:60]!r} names no role.", remedy)
        found[theirs] = ActorRole(ours)
    return found


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
