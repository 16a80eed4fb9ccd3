"""Servers for client tests: the real one over a data folder, and one whose answers a test writes."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from collections_opt.api.v1 import portfolio_service_pb2
from collections_opt.application.workspace import open_workspace
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.service.access.methods import CallClass
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.handlers import Service
from collections_opt.service.server.services import all_services

MODELS = Path(__file__).parents[3] / "models"
MOMENT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@contextmanager
def served(services, **options):
    """Yield a client of a plaintext server."""
    built = build_server(services, ServerOptions(insecure_loopback=True, **options))
    built.start()
    try:
        with connect(Connection(f"127.0.0.1:{built.port}", insecure_loopback=True)) as client:
            yield client
    finally:
        built.stop(0)


@contextmanager
def real(folder):
    """Yield a client of the product over a data folder."""
    workspace = open_workspace(folder, MODELS, lambda: MOMENT)
    try:
        with served(all_services(workspace)) as client:
            yield client
    finally:
        workspace.close()


def portfolio_service(servicer, **classes):
    """Return PortfolioService over a servicer of a test."""
    descriptor = portfolio_service_pb2.DESCRIPTOR.services_by_name["PortfolioService"]
    return Service(descriptor, servicer, {**dict.fromkeys(descriptor.methods_by_name, CallClass.READ), **classes})
