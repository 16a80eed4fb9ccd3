"""Build the server: services, health, reflection, and TLS unless plaintext on loopback is asked for by name."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_CHUNK_BYTES
from collections_opt.service.access.methods import CallClass
from collections_opt.service.access.roles import Access
from collections_opt.service.metrics import ServerMetrics
from collections_opt.service.server.edge import Edge, Patience
from collections_opt.service.server.event_loop import run_on_loop
from collections_opt.service.server.guard import Guard
from collections_opt.service.server.handlers import Service, method_handlers
from collections_opt.service.server.places import DEFAULT_PLACES
from collections_opt.service.server.plumbing import HEALTH, REFLECTION, Health, Reflection, plumbing_handlers
from collections_opt.wire.callers.identity import is_loopback

MAX_CONCURRENT_RPCS = 1_024
"""Calls of any kind that grpc hands over at once. A stop of last resort: places and waiting calls have limits far below it."""

MAX_CONCURRENT_STREAMS = 128
"""Calls of one connection."""

MIN_PING_SECONDS = 5
"""A caller may ping as often as that; grpc's own limit of five minutes cuts off clients that ping every ten seconds."""

KEEPALIVE_SECONDS, KEEPALIVE_TIMEOUT_SECONDS = 60, 20
"""A connection is pinged when nothing came for that long, and closed when no answer comes: a peer that vanished keeps nothing."""

MAX_IDLE_SECONDS = 3_600
"""A connection without calls is closed; clients open another by themselves."""

MAX_AGE_SECONDS, MAX_AGE_GRACE_SECONDS = 86_400, 86_400
"""A connection is renewed daily, after its calls, so that a certificate that was withdrawn is not believed for long."""


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
        patience: how long callers may be silent.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: TlsFiles | None = None
    insecure_loopback: bool = False
    places: Mapping[CallClass, int] = field(default_factory=lambda: DEFAULT_PLACES)
    access: Access = field(default_factory=Access)
    metrics: ServerMetrics = field(default_factory=ServerMetrics)
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class BuiltServer:
    """A server bound to its port, not started."""

    server: grpc.aio.Server
    port: int
    health: Health
    workers: ThreadPoolExecutor
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Serve; health is SERVING."""
        run_on_loop(self.server.start())

    def stop(self, grace_seconds: float) -> None:
        """Turn health to NOT_SERVING, refuse new calls, and wait for those in flight, then for work that was left."""

        async def stop() -> None:
            self.health.stop()
            await self.server.stop(grace_seconds)

        run_on_loop(stop())
        self.workers.shutdown()
        self.ended.set()

    def wait(self) -> None:
        """Wait until somebody stopped the server."""
        self.ended.wait()


def build_server(services: Sequence[Service], options: ServerOptions, guard: Guard | None = None) -> BuiltServer:
    """Return a server with the services, health and reflection, bound to its port.

    Raises:
        CollectionsError: INVALID_ARGUMENT for plaintext beyond loopback, unreadable TLS files, or a port that is taken.
        TypeError: when a declared method is not implemented.
    """

    async def build() -> BuiltServer:  # on the loop: grpc ties a server to the loop it is made on
        return _built(services, options, guard or Guard(options.places, access=options.access, metrics=options.metrics))

    return run_on_loop(build())


def _built(services: Sequence[Service], options: ServerOptions, guard: Guard) -> BuiltServer:
    names = [service.descriptor.full_name for service in services]
    workers = ThreadPoolExecutor(max(1, sum(options.places.values())), thread_name_prefix="rpc")
    edge = Edge(guard, workers, options.patience)
    health = Health(["", *names])
    reflection = Reflection([*names, HEALTH, REFLECTION], options.patience)
    handlers = {service.descriptor.full_name: method_handlers(service, edge) for service in services}
    server = grpc.aio.server(options=_channel_options(), maximum_concurrent_rpcs=MAX_CONCURRENT_RPCS)
    for name, methods in {**handlers, **plumbing_handlers(health, reflection, options.patience)}.items():
        # Registered: each method has a queue of its own in grpc, so that a flood of one is not in front of the others.
        server.add_registered_method_handlers(name, methods)
    return BuiltServer(server, _bind(server, options), health, workers)


def _channel_options() -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", MAX_CHUNK_BYTES),
        ("grpc.max_send_message_length", MAX_CHUNK_BYTES),
        ("grpc.max_concurrent_streams", MAX_CONCURRENT_STREAMS),
        ("grpc.so_reuseport", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", 1_000 * MIN_PING_SECONDS),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000 * MIN_PING_SECONDS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", 1_000 * KEEPALIVE_SECONDS),
        ("grpc.keepalive_timeout_ms", 1_000 * KEEPALIVE_TIMEOUT_SECONDS),
        ("grpc.max_connection_idle_ms", 1_000 * MAX_IDLE_SECONDS),
        ("grpc.max_connection_age_ms", 1_000 * MAX_AGE_SECONDS),
        ("grpc.max_connection_age_grace_ms", 1_000 * MAX_AGE_GRACE_SECONDS),
    ]


def _bind(server: grpc.aio.Server, options: ServerOptions) -> int:
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
