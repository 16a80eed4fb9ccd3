"""Connect to a server: TLS, mTLS, or plaintext to this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import grpc

from collections_opt.client.interceptor import CallInterceptor
from collections_opt.client.policy import service_config
from collections_opt.core.actors import claimed_actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_CHUNK_BYTES
from collections_opt.wire.callers.identity import ACTOR_KEY, ROLE_KEY, TOKEN_KEY, is_loopback

RETRY_BUFFER_BYTES = 2 * MAX_CHUNK_BYTES
"""What grpc keeps of a call for sending it again; an import that has sent more is not repeated by itself."""


@dataclass(frozen=True)
class Connection:
    """Where a server is and how to speak to it.

    Attributes:
        address: host:port.
        ca: PEM authority that signed the server's certificate; None trusts the system's for TLS.
        certificate: PEM certificate of this caller (mTLS), with ``key``.
        key: PEM key of this caller.
        insecure_loopback: plaintext, for a server on this machine.
        actor: name of the person or job that calls, recorded with what it does as a claim.
        role: an ``ActorRole``, likewise.
        token: file of a token that says who calls; read anew with every call, so that it can be renewed.
        bearer: the token itself, for a program that speaks for many people; in place of ``token``, and never shown.
    """

    address: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    insecure_loopback: bool = False
    actor: str = ""
    role: str = ""
    token: Path | None = None
    bearer: str = field(default="", repr=False)

    def channel(self) -> grpc.Channel:
        """Return a channel whose calls have deadlines, are repeated where that is safe, and raise ``CollectionsError``.

        Raises:
            CollectionsError: INVALID_ARGUMENT for plaintext beyond this machine, unreadable PEM files, or what is no actor or
                role.
        """
        claimed_actor(self.actor, self.role, "actor", "role")
        identity = tuple((key, value) for key, value in ((ACTOR_KEY, self.actor), (ROLE_KEY, self.role)) if value)
        options = [
            ("grpc.service_config", service_config()),
            ("grpc.enable_retries", 1),
            ("grpc.per_rpc_retry_buffer_size", RETRY_BUFFER_BYTES),
            ("grpc.max_receive_message_length", MAX_CHUNK_BYTES),
        ]
        if self.insecure_loopback:
            self._require_loopback()
            plain = grpc.insecure_channel(self.address, options=options)
        else:
            plain = grpc.secure_channel(self.address, self._credentials(), options=options)
        return grpc.intercept_channel(plain, CallInterceptor(self.address, lambda: (*identity, *self._token())))

    def _token(self) -> tuple[tuple[str, str], ...]:
        if self.bearer:
            return ((TOKEN_KEY, f"Bearer {self.bearer}"),)
        if self.token is None:
            return ()
        try:
            text = self.token.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise refuse(Reason.INVALID_ARGUMENT, "token", f"{self.token.name} cannot be read.", "Get a new token.") from error
        return ((TOKEN_KEY, f"Bearer {text}"),)

    def _require_loopback(self) -> None:
        host = self.address.rpartition(":")[0].strip("[]")
        if not is_loopback(host):
            raise refuse(
                Reason.INVALID_ARGUMENT, "address", f"plaintext to {host!r} would leave this machine.", "Give TLS files instead."
            )
        if self.ca or self.certificate or self.key:
            raise refuse(Reason.INVALID_ARGUMENT, "insecure_loopback", "was asked for beside TLS files.", "Keep one of both.")

    def _credentials(self) -> grpc.ChannelCredentials:
        if (self.certificate is None) != (self.key is None):
            raise refuse(Reason.INVALID_ARGUMENT, "certificate", "and key come together or not at all.", "Give both PEM files.")
        ca, key, certificate = (_pem(path) for path in (self.ca, self.key, self.certificate))
        return grpc.ssl_channel_credentials(ca, key, certificate)


def _pem(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise refuse(
            Reason.INVALID_ARGUMENT, "tls", f"{path.name} cannot be read: {error.strerror}.", "Check the file."
        ) from error
