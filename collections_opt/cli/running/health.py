"""Ask a server whether it serves, for probes and people: exit code 0 if it does, 1 if not or not reached.

Example:
    python scripts/health.py --address 127.0.0.1:50051 --insecure-loopback
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from collections_opt.cli.common.running import run
from collections_opt.client.connection import Connection
from collections_opt.core.errors import CollectionsError

STATUSES = health_pb2.HealthCheckResponse.ServingStatus


def main(
    address: Annotated[str, typer.Option(help="host:port of the server.")] = "127.0.0.1:50051",
    service: Annotated[str, typer.Option(help="Full name of one service; default the whole server.")] = "",
    ca: Annotated[Path | None, typer.Option(help="PEM authority that signed the server's certificate.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM certificate of this caller (mTLS).")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM key of this caller (mTLS).")] = None,
    insecure_loopback: Annotated[bool, typer.Option("--insecure-loopback", help="Plaintext, on loopback only.")] = False,
    timeout_seconds: Annotated[float, typer.Option(help="How long to wait for an answer.")] = 5.0,
) -> None:
    """Print the server's health in one word.

    Example: python scripts/health.py --address 127.0.0.1:50051 --insecure-loopback
    """
    channel = Connection(address, ca, certificate, key, insecure_loopback).channel()
    try:
        request = health_pb2.HealthCheckRequest(service=service)
        status = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_seconds).status
    except CollectionsError as error:
        typer.echo(f"not reached: {error.message}", err=True)
        raise typer.Exit(1) from error
    finally:
        channel.close()
    typer.echo(STATUSES.Name(status))
    raise typer.Exit(0 if status == STATUSES.SERVING else 1)


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
