"""A console that listens: in a thread of its own, so that it may stand beside a server."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from collections_opt.core.errors import Reason, refuse
from collections_opt.wire.callers.identity import is_loopback


@dataclass(frozen=True)
class Listening:
    """Where a console listens.

    Attributes:
        host: address.
        port: 0 takes a free one.
        certificate: PEM certificate of the console, with ``key``; None is plain HTTP, on this machine alone.
        key: its PEM key.
        behind_proxy: something on this machine or its network ends TLS before it.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False

    @property
    def secure(self) -> bool:
        """Whether browsers reach it over TLS."""
        return self.certificate is not None or self.behind_proxy


class ConsoleServer:
    """A console in a thread. Nothing about requests is logged: addresses hold no account, but logs outlive their reason."""

    def __init__(self, app: Any, at: Listening) -> None:
        """Bind the address.

        Raises:
            CollectionsError: INVALID_ARGUMENT for plain HTTP beyond this machine, half a TLS pair, or an address that is taken.
        """
        if (at.certificate is None) != (at.key is None):
            raise refuse(Reason.INVALID_ARGUMENT, "tls", "certificate and key come together.", "Give both PEM files.")
        if not at.secure and not is_loopback(at.host):
            remedy = "Give a certificate and its key, or say that a proxy ends TLS."
            raise refuse(Reason.INVALID_ARGUMENT, "host", f"plain HTTP at {at.host!r} would leave this machine.", remedy)
        family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
        self._socket = socket.socket(family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((at.host, at.port))
            self._socket.listen()  # who asks before the thread has begun waits
        except OSError as error:
            told = f"{at.host}:{at.port} cannot be bound: {error.strerror}."
            raise refuse(Reason.INVALID_ARGUMENT, "console_port", told, "Free it or choose another.") from error
        self.port: int = self._socket.getsockname()[1]
        scheme = "http" if at.certificate is None else "https"
        self.url = f"{scheme}://{at.host}:{self.port}/"
        files: dict[str, Any] = {}
        if at.certificate is not None:
            files = {"ssl_certfile": at.certificate, "ssl_keyfile": at.key}
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off", **files)
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="console", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, grace_seconds: float) -> None:
        """End after running answers."""
        self._server.should_exit = True
        self._thread.join(grace_seconds)
        self._socket.close()
