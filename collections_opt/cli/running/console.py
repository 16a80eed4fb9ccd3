"""Show a server's desks, rankings and records as pages in a browser.

Example:
    python scripts/console.py --address 127.0.0.1:50051 --insecure-loopback --port 8080
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

import collections_opt.console.app  # noqa: F401 - who lacks its extra is told so before any option
from collections_opt.cli.common.console_options import ConsolePages, OpenIdSignIn, console_of
from collections_opt.cli.common.product import Product, models_of, require_ledger, served
from collections_opt.cli.common.running import run
from collections_opt.cli.common.signals import signals_caught
from collections_opt.client.connection import Connection
from collections_opt.core.errors import Reason, refuse


def main(
    product: Product,
    pages: ConsolePages,
    sign_in: OpenIdSignIn,
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8080,
) -> None:
    """Show the console until interrupted; the first line printed names its address.

    Example: python scripts/console.py --address 127.0.0.1:50051 --insecure-loopback --port 8080
    """
    if product.actor or product.role or product.token:
        remedy = "Leave --actor, --role and --token out: people sign in."
        raise refuse(Reason.INVALID_ARGUMENT, "actor", "is given to a console, which speaks for whoever signs in.", remedy)
    wait_for_the_end = signals_caught()

    def show(connection: Connection) -> None:
        _until_the_end(wait_for_the_end, connection, port, pages, sign_in)

    if product.address:
        tls = (product.tls_ca, product.tls_certificate, product.tls_key)
        show(Connection(product.address, *tls, product.insecure_loopback))
        return
    require_ledger(product.data)
    with served(product.data, models_of(product.data, product.models)) as grpc_port:
        show(Connection(f"127.0.0.1:{grpc_port}", insecure_loopback=True))


def _until_the_end(
    wait: Callable[[], object], connection: Connection, port: int, pages: ConsolePages, sign_in: OpenIdSignIn
) -> None:
    console = console_of(connection, port, pages, sign_in)
    wait()
    console.stop(5.0)
    typer.echo("stopped")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
