"""Show a server's desks, rankings and records as pages in a browser.

Example:
    python scripts/console.py --address 127.0.0.1:50051 --insecure-loopback --port 8080
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.product import Product, models_of, now, require_ledger, served
from collections_opt.cli.common.running import run
from collections_opt.cli.common.signals import signals_caught
from collections_opt.client.connection import Connection
from collections_opt.console.app import ConsoleOptions, console_app
from collections_opt.console.openid import OpenId, Provider
from collections_opt.console.serving import ConsoleServer, Listening
from collections_opt.core.errors import Reason, refuse

ZoneOption = Annotated[str, typer.Option(help="IANA time zone in which people read times unless they choose another.")]


def main(
    product: Product,
    host: Annotated[str, typer.Option(help="Address to listen on; plain HTTP on this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8080,
    certificate: Annotated[Path | None, typer.Option(help="PEM certificate to show to browsers, with --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM key of that certificate.")] = None,
    behind_proxy: Annotated[bool, typer.Option("--behind-proxy", help="A proxy in front of the console ends TLS.")] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Name by which browsers reach it; repeatable. Default: this machine's loopback names."),
    ] = None,
    time_zone: ZoneOption = "UTC",
    openid_issuer: Annotated[str, typer.Option(help="Your identity provider, by the URL that its tokens name.")] = "",
    openid_client: Annotated[str, typer.Option(help="Id under which the provider knows this console.")] = "",
    openid_secret: Annotated[Path | None, typer.Option(help="File of that client's secret, if it has one.")] = None,
    openid_scope: Annotated[str, typer.Option(help="What is asked of the provider.")] = "openid",
    openid_audience: Annotated[str, typer.Option(help="Audience of the access token, where the provider asks for it.")] = "",
    openid_role_claim: Annotated[str, typer.Option(help="Claim of the token that names the role.")] = "role",
    openid_id_token: Annotated[
        bool, typer.Option("--openid-id-token", help="Send the ID token to the server: the access tokens are no JWT.")
    ] = False,
) -> None:
    """Show the console until interrupted; the first line printed names its address.

    Example: python scripts/console.py --address 127.0.0.1:50051 --insecure-loopback --port 8080
    """
    if product.actor or product.role or product.token:
        remedy = "Leave --actor, --role and --token out: people sign in."
        raise refuse(Reason.INVALID_ARGUMENT, "actor", "is given to a console, which speaks for whoever signs in.", remedy)
    wait_for_the_end = signals_caught()
    at = Listening(host, port, certificate, key, behind_proxy)
    secret = openid_secret.read_text("utf-8").strip() if openid_secret else ""
    told = (openid_client, secret, openid_scope, openid_audience, openid_id_token, openid_role_claim)
    openid = _provider(Provider(openid_issuer, *told))
    if product.address:
        tls = (product.tls_ca, product.tls_certificate, product.tls_key)
        _show(Connection(product.address, *tls, product.insecure_loopback), at, wait_for_the_end, name, time_zone, openid)
        return
    require_ledger(product.data)
    with served(product.data, models_of(product.data, product.models)) as grpc_port:
        connection = Connection(f"127.0.0.1:{grpc_port}", insecure_loopback=True)
        _show(connection, at, wait_for_the_end, name, time_zone, openid)


def _provider(given: Provider) -> OpenId | None:
    if not given.issuer:
        return None
    if not given.client_id:
        remedy = "Register the console at the provider and name the id that it gave."
        raise refuse(Reason.INVALID_ARGUMENT, "openid_client", "is missing beside openid_issuer.", remedy)
    return OpenId(given, now)


def _show(
    connection: Connection, at: Listening, wait: Callable[[], object], names: list[str] | None, zone: str, openid: OpenId | None
) -> None:
    console = console_beside(connection, at, names, zone, openid)
    typer.echo(f"console on {console.url}")
    wait()
    console.stop(5.0)
    typer.echo("stopped")


def console_beside(
    connection: Connection, at: Listening, names: list[str] | None = None, zone: str = "UTC", openid: OpenId | None = None
) -> ConsoleServer:
    """Return a console that has begun to answer.

    Raises:
        CollectionsError: as ``ConsoleServer`` and ``console_app``.
    """
    hosts = names or ConsoleOptions.hosts
    options = ConsoleOptions(now=now, secure=at.secure, zone=zone, openid=openid, hosts=hosts)
    console = ConsoleServer(console_app(connection, options), at)
    console.start()
    return console


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
