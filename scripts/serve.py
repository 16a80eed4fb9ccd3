"""Serve the gRPC API over a data folder until interrupted.

Example:
    python scripts/serve.py --data var/demo --models var/demo/models --port 50051 --insecure-loopback
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from scripts_support import DataOption, ModelsOption, models_of, opened, run

from collections_opt.application.settings import bundled_parameters
from collections_opt.service.server import ServerOptions, TlsFiles, build_server
from collections_opt.service.services import all_services


def main(
    data: DataOption = Path("var/demo"),
    models: ModelsOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 50051,
    database_url: Annotated[str, typer.Option(help="SQLAlchemy URL of the ledger; default SQLite in the data folder.")] = "",
    objects_url: Annotated[str, typer.Option(help="Folder or pyarrow URL of the objects; default in the data folder.")] = "",
    tls_key: Annotated[Path | None, typer.Option(help="PEM key of the server.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM certificate of the server.")] = None,
    tls_client_ca: Annotated[Path | None, typer.Option(help="PEM authority of client certificates (mTLS).")] = None,
    insecure_loopback: Annotated[bool, typer.Option("--insecure-loopback", help="Plaintext, on loopback only.")] = False,
) -> None:
    """Serve the API; the first line printed names the address, SIGTERM and SIGINT end it after running calls.

    Example: python scripts/serve.py --data var/demo --port 50051 --insecure-loopback
    """
    tls = TlsFiles(tls_key, tls_certificate, tls_client_ca) if tls_key and tls_certificate else None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    models = models_of(data, models)
    with opened(data, models, database_url, objects_url) as workspace:
        options = ServerOptions(host=host, port=port, tls=tls, insecure_loopback=insecure_loopback)
        built = build_server(all_services(workspace, bundled_parameters()), options)
        built.start()
        workspace.rankings.recover()
        typer.echo(f"serving on {host}:{built.port}")
        stop.wait()
        built.stop(10.0)
    typer.echo("stopped")


if __name__ == "__main__":
    run(main)
