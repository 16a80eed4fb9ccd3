"""Build the server: services, health, reflection, and TLS unless plaintext on loopback is asked for by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_CHUNK_BYTES
from collections_opt.service.access import Access
from collections_opt.service.guard import DEFAULT_PLACES, CallClass, Guard
from collections_opt.service.handlers import Service, generic_handler
from collections_opt.service.metrics import ServerMetrics
from collections_opt.wire.loopback import is_loopback

SPARE_THREADS = 8
"""Threads beyond all places: health, reflection and refusals are answered when every place is taken."""

MAX_CONCURRENT_STREAMS = 128
"""Calls of one connection."""


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of TLS; with ``client_ca`` only callers with a certificate signed by it are let in (mTLS)."""

    key: Path
    certificate: Path
    client_ca: Path | None = None


@dataclass(frozen=True)
class ServerOptions:
    """Where and how to listen.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one.
        tls: certificate files; required unless ``insecure_loopback``.
        insecure_loopback: plaintext, accepted only for a loopback ``host``.
        places: calls in flight per class.
        access: who may call what.
        metrics: counts what happens; share it with ``all_services``.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: TlsFiles | None = None
    insecure_loopback: bool = False
    places: Mapping[CallClass, int] = field(default_factory=lambda: DEFAULT_PLACES)
    access: Access = field(default_factory=Access)
    metrics: ServerMetrics = field(default_factory=ServerMetrics)


@dataclass(frozen=True)
class BuiltServer:
    """A server bound to its port, not started."""

    server: grpc.Server
    port: int
    health: health.HealthServicer

    def start(self) -> None:
        """Serve; health turns to SERVING."""
        self.server.start()

    def stop(self, grace_seconds: float) -> None:
        """Turn health to NOT_SERVING, refuse new calls, and wait for those in flight."""
        self.health.enter_graceful_shutdown()
        self.server.stop(grace_seconds).wait()


def build_server(services: Sequence[Service], options: ServerOptions, guard: Guard | None = None) -> BuiltServer:
    """Return a server with the services, health and reflection, bound to its port.

    Raises:
        CollectionsError: INVALID_ARGUMENT for plaintext beyond loopback, unreadable TLS files, or a port that is taken.
        TypeError: when a declared method is not implemented.
    """
    pool = ThreadPoolExecutor(sum(options.places.values()) + SPARE_THREADS, thread_name_prefix="rpc")
    server = grpc.server(
        pool,
        options=[
            ("grpc.max_receive_message_length", MAX_CHUNK_BYTES),
            ("grpc.max_send_message_length", MAX_CHUNK_BYTES),
            ("grpc.max_concurrent_streams", MAX_CONCURRENT_STREAMS),
            ("grpc.so_reuseport", 0),
        ],
    )
    guard = guard or Guard(options.places, access=options.access, metrics=options.metrics)
    names = [service.descriptor.full_name for service in services]
    server.add_generic_rpc_handlers(tuple(generic_handler(service, guard) for service in services))
    healthy = health.HealthServicer()
    for name in ("", *names):
        healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    return BuiltServer(server, _bind(server, options), healthy)


def _bind(server: grpc.Server, options: ServerOptions) -> int:
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"{host}:{options.port}"
    try:
        if options.tls is not None:
            return server.add_secure_port(address, _credentials(options.tls))
        _require_loopback(options)
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise refuse(Reason.INVALID_ARGUMENT, "port", f"{address} cannot be bound.", "Free it or choose another.") from error


def _require_loopback(options: ServerOptions) -> None:
    if not options.insecure_loopback:
        raise refuse(Reason.INVALID_ARGUMENT, "tls", "no certificate given.", "Give TLS files, or ask for plaintext on loopback.")
    if not is_loopback(options.host):
        raise refuse(Reason.INVALID_ARGUMENT, "host", f"plaintext on {options.host!r} would leave this machine.", "Use TLS.")


def _credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    try:
        key, certificate = tls.key.read_bytes(), tls.certificate.read_bytes()
        client_ca = tls.client_ca.read_bytes() if tls.client_ca else None
    except OSError as error:
        name = Path(error.filename or "").name
        raise refuse(Reason.INVALID_ARGUMENT, "tls", f"{name} cannot be read: {error.strerror}.", "Check the file.") from error
    return grpc.ssl_server_credentials([(key, certificate)], client_ca, require_client_auth=client_ca is not None)
