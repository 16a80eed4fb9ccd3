"""Callers who want to see what is not theirs: forged tokens, foreign certificates, reads across scopes, ids that act.

Each goes through its requests once and yields, for each, what it got that it must not get, or "": an answer, borrowers' data, an
unexpected error, a character that acts on whoever reads the refusal.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import jwt
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from collections_opt.client.policy import CONTRACT
from collections_opt.core.actors import ActorRole
from collections_opt.core.scopes import Scope
from collections_opt.service.access.methods import METHODS as TABLE
from collections_opt.service.access.tokens import Bearer, issue_to, new_key
from collections_opt.wire.callers.identity import TOKEN_KEY
from harness.siege.attacks import LEAST_PRIORITY

ROOT = Path(__file__).parents[2]
METHODS = [m for file in CONTRACT for service in file.services_by_name.values() for m in service.methods]
WAIT = 10.0
PAUSE_SECONDS = 0.02
"""Between two requests of an intruder: some thirty a second."""
REFUSED = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
FOR_LOAD = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
OURS = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.DATA_LOSS}
ISSUER, AUDIENCE, KEY_ID = "siege", "collections-opt", "k1"
HOSTILE = (
    "[/red]x<script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07",
    "a\u202egnp.exe",
    "=1+1",
    "@SUM(1)|cmd",
    "../../../../etc/passwd",
    "..\\..\\master.key",
    "a\0b",
    "'; DROP TABLE rankings; --",
    "x" * 10_240,
    "\ud7ff\u2028\ufeff",
    "",
)
"""Ids as nobody means well with: markup, a terminal's commands, letters that run backwards, formulas, paths, NUL, SQL, 10 kB."""
ACTING = ("\x1b", "\x07", "\u202e", "\u2028", "\0")
"""Characters that a refusal must not carry as they are."""


@dataclass(frozen=True)
class Secured:
    """A server that asks for tokens, and perhaps for certificates, as intruders find it.

    Attributes:
        address: where it listens.
        folder: keys and certificates: ``issuer.pem``, and for TLS ca, server, client, stranger.
        good: a good request per method, as the messages of a call.
        known: texts that only whoever sees the book may be told: of its ranking, then of its accounts.
        tls: whether it speaks TLS.
    """

    address: str
    folder: Path
    good: Mapping[str, Sequence[bytes]]
    known: tuple[str, ...]
    tls: bool = True

    def channel(self, name: str | None = "client") -> grpc.Channel:
        """Return a connection that shows a certificate of this name; of nobody for None."""
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        if not self.tls:
            return grpc.insecure_channel(self.address, options)
        own = [(self.folder / f"{name}.{kind}").read_bytes() for kind in ("key", "pem")] if name else [None, None]
        credentials = grpc.ssl_channel_credentials((self.folder / "ca.pem").read_bytes(), *own)
        return grpc.secure_channel(self.address, credentials, options)

    def token(self, role: ActorRole, scope: Scope | None = None, name: str = "ann") -> str:
        """Return a token of the server's issuer."""
        pem, bearer = (self.folder / "issuer.pem").read_bytes(), Bearer(name, role, scope or Scope())
        return issue_to(bearer, pem, datetime.now(UTC), timedelta(minutes=30), ISSUER, AUDIENCE, KEY_ID)

    def call(self, channel: grpc.Channel, method: Any, messages: Sequence[bytes], token: str) -> bytes:
        """Return the bytes of an answer, all its messages together."""
        kind = "_".join("stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming))
        path = f"/{method.containing_service.full_name}/{method.name}"
        send = getattr(channel, kind)(path, request_serializer=None, response_deserializer=None)
        metadata = ((TOKEN_KEY, f"Bearer {token}"),) if token else ()
        answer = send(iter(messages) if method.client_streaming else messages[0], timeout=WAIT, metadata=metadata)
        return b"".join(itertools.islice(answer, 20)) if method.server_streaming else answer


Seen = Iterator[str]
"""What an intruder got and must not get; "" for a request after which nothing was wrong."""


def forged_tokens(server: Secured) -> Seen:
    """Show tokens of a key of one's own, of another issuer, for others, too old, too long, unsigned, and none."""
    methods = [method for method in METHODS if method.name in server.good]
    with server.channel() as channel:
        for number, (what, token) in enumerate(_forged(server)):
            for method in methods[number % 7 :: 7]:
                try:
                    server.call(channel, method, server.good[method.name], token)
                    yield f"a token {what} was let in to {method.name}"
                except grpc.RpcError as error:
                    yield _unless(error, REFUSED, f"a token {what} at {method.name}")


def _forged(server: Secured) -> Iterator[tuple[str, str]]:
    now, other = datetime.now(UTC), new_key(KEY_ID)[0]
    public = (server.folder / "issuer.json").read_text("utf-8")
    ann = Bearer("ann", ActorRole.ADMIN)
    good = server.token(ActorRole.ADMIN)
    claims = jwt.decode(good, options={"verify_signature": False})
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"k1"}').rstrip(b"=").decode()
    body, signature = good.split(".")[1:]
    pem = (server.folder / "issuer.pem").read_bytes()
    stretched = jwt.encode({**claims, "exp": claims["exp"] + 864_000}, pem, "EdDSA", {"kid": KEY_ID})
    wider = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "root"}).encode()).rstrip(b"=").decode()
    yield "of a key of one's own", issue_to(ann, other, now, timedelta(minutes=5), ISSUER, AUDIENCE, KEY_ID)
    yield "of another issuer", issue_to(ann, pem, now, timedelta(minutes=5), "elsewhere", AUDIENCE, KEY_ID)
    yield "for another audience", issue_to(ann, pem, now, timedelta(minutes=5), ISSUER, "elsewhere", KEY_ID)
    yield "that is over", issue_to(ann, pem, now - timedelta(hours=2), timedelta(minutes=5), ISSUER, AUDIENCE, KEY_ID)
    yield "of tomorrow", issue_to(ann, pem, now + timedelta(days=1), timedelta(minutes=5), ISSUER, AUDIENCE, KEY_ID)
    yield "that lasts ten days", stretched
    yield "without signature", f"{header}.{body}."
    yield "with a changed name", f"{good.split('.')[0]}.{wider}.{signature}"
    yield "signed with the public key", jwt.encode(claims, public.encode()[:64], "HS256", {"kid": KEY_ID})
    yield "in a role that is none", jwt.encode({**claims, "role": "ROOT"}, pem, "EdDSA", {"kid": KEY_ID})
    yield "of 10 kB", "x" * 7_000
    yield "that is none", ""


def foreign_certificates(server: Secured) -> Seen:
    """Come without a certificate, with one that signs itself, and with one of the authority under another name."""
    token = server.token(ActorRole.ADMIN)
    listed = next(method for method in METHODS if method.name == "ListPortfolios")
    for name in (None, "stranger", "server"):
        with server.channel(name) as channel:
            try:
                server.call(channel, listed, [b""], token)
                yield f"a certificate of {name or 'nobody'} was let in"
            except grpc.RpcError as error:
                yield _unless(error, {*REFUSED, grpc.StatusCode.UNAVAILABLE}, f"a certificate of {name or 'nobody'}")


def cross_scope_reads(server: Secured) -> Seen:
    """Ask every method for a book out of a token's scope, by portfolio, by desk and by tenant."""
    scopes = (Scope(portfolios=("other*",)), Scope(("*",), ("other*",)), Scope(tenants=("north",)))
    with server.channel() as channel:
        for scope, method in itertools.product(scopes, METHODS):
            if method.name not in server.good:
                continue
            token = server.token(min(TABLE[method.containing_service.name][method.name].roles), scope)
            try:
                answer = server.call(channel, method, server.good[method.name], token)
            except grpc.RpcError as error:
                yield f"{method.name} under {scope}: {error.code()}" if error.code() in OURS else ""
            else:
                # Whoever sees all portfolios and some desks sees no ranking of another desk.
                hidden = server.known[:1] if scope.desks else server.known
                told = [text for text in hidden if text.encode() in answer]
                yield f"{method.name} under {scope} told {told[0]!r}" if told else ""


def hostile_ids(server: Secured, every: int = 1) -> Seen:
    """Put ids that act into every text of every request, or of every so many."""
    with server.channel() as channel:
        for text, method in itertools.islice(itertools.product(HOSTILE, METHODS), 0, None, every):
            token = server.token(min(TABLE[method.containing_service.name][method.name].roles))
            message = GetMessageClass(method.input_type)()
            _fill(message, text)
            try:
                server.call(channel, method, [message.SerializeToString()], token)
                yield ""
            except grpc.RpcError as error:
                acting = [sign for sign in ACTING if sign in (error.details() or "")]
                told = f"the refusal of {method.name} carries {acting[0]!r}" if acting else ""
                yield told or (f"{method.name} failed on {text[:40]!r}: {error.code()}" if error.code() in OURS else "")


def _fill(message: Message, text: str, depth: int = 0) -> None:
    for one in message.DESCRIPTOR.fields:
        if one.message_type is not None:
            if not one.is_repeated and depth < 2:
                _fill(getattr(message, one.name), text, depth + 1)
        elif one.type == one.TYPE_STRING and one.is_repeated:
            getattr(message, one.name).append(text)
        elif one.type == one.TYPE_STRING:
            setattr(message, one.name, text)
        elif one.name == "page_size":
            setattr(message, one.name, 5)


def _unless(error: grpc.RpcError, allowed: set[grpc.StatusCode], what: str) -> str:
    """Return what is wrong with a refusal; one for load is none."""
    return "" if error.code() in allowed | FOR_LOAD else f"{what}: {error.code()}"


INTRUDERS: dict[str, Callable[..., Seen]] = {
    "hostile ids": hostile_ids,
    "forged tokens": forged_tokens,
    "foreign certificates": foreign_certificates,
    "reads across scopes": cross_scope_reads,
}


@dataclass
class Intrusion:
    """What an intruder sent, and what it got and must not get."""

    sent: int = 0
    got: set[str] = field(default_factory=set)


@contextmanager
def intruding(name: str, server: Secured, intrusion: Intrusion) -> Iterator[None]:
    """Intrude from a process for the time of a block, and note what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        write(server, Path(folder) / "server.json")
        command = [sys.executable, "-m", "harness.siege.intruders", name, str(Path(folder) / "server.json")]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                process.stdout.readline()  # it has loaded what it needs
                yield
                if process.poll() is not None:
                    raise RuntimeError(f"the intruder {name!r} ended by itself")
            finally:
                process.kill()
                for line in process.stdout.read().splitlines():
                    kind, _, what = line.partition(" ")
                    if kind == "sent":
                        intrusion.sent += int(what)
                    elif kind == "got":
                        intrusion.got.add(what)


def write(server: Secured, path: Path) -> None:
    """Write down how a server is found, for an intruder in another process."""
    good = {name: [base64.b64encode(one).decode() for one in messages] for name, messages in server.good.items()}
    path.write_text(json.dumps([server.address, str(server.folder), good, server.known, server.tls]), "utf-8")


def read(path: Path) -> Secured:
    """Return what ``write`` wrote."""
    address, folder, good, known, tls = json.loads(path.read_text("utf-8"))
    given = {name: [base64.b64decode(one) for one in messages] for name, messages in good.items()}
    return Secured(address, Path(folder), given, tuple(known), tls)


def main() -> None:
    """Intrude again and again; a line for each thing that was got, and for each round."""
    name, path = sys.argv[1:]
    server = read(Path(path))
    os.nice(LEAST_PRIORITY)
    print("attacking", flush=True)
    while True:
        for got in INTRUDERS[name](server):
            if got:
                print(f"got {got}", flush=True)
            print("sent 1", flush=True)
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
