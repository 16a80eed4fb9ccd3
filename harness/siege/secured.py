"""A server that asks for tokens and certificates, over a book and its ranking, for intruders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from collections_opt.application.workspace import Workspace, open_workspace
from collections_opt.service.access.roles import Access
from collections_opt.service.access.tokens import TokenChecker, new_key
from collections_opt.service.server.build import ServerOptions, TlsFiles, build_server
from collections_opt.service.server.services import all_services
from harness.siege.intruders import AUDIENCE, ISSUER, KEY_ID, Secured
from tests.support.models.folders import NOW, folder_with_people
from tests.support.serving.calls import WAIT, calling, columns, import_requests, made
from tests.support.serving.certificates import make_certificates
from tests.support.serving.requests.good import good_requests
from tests.support.serving.requests.known import known_of
from tests.support.serving.tokens import keys_given

LEFT_OUT = ("TrainModel",)
"""Methods that nobody asks for: a training takes minutes, and who may ask for one is asked by the others."""

CLIENT = "client"
"""Name of the certificate that is let in."""


Filled = tuple[Mapping[str, Sequence[bytes]], tuple[str, ...]]
"""A good request per method, and what only whoever sees the book may be told."""


@contextmanager
def opened(folder: Path) -> Iterator[Workspace]:
    """Yield a workspace whose models people may act on."""
    with closing(open_workspace(folder / "data", folder_with_people(folder), lambda: NOW)) as workspace:
        yield workspace


def fill(workspace: Workspace) -> Filled:
    """Import a book and rank it; return a good request per method, and what only whoever sees the book may be told."""
    with calling(workspace) as client:
        client.portfolios.ImportPortfolio(import_requests("book", columns()), timeout=WAIT)
        known = known_of(client, made(client))
    good = {
        name: [message.SerializeToString() for message in calls[0]]
        for name, calls in good_requests(known).items()
        if name not in LEFT_OUT
    }
    return good, (known.ranking_id, "acc-0")


def make_keys(folder: Path) -> Path:
    """Make the keys of an issuer of tokens, and certificates; return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pem, public = new_key(KEY_ID)
    (folder / "issuer.pem").write_bytes(pem)
    (folder / "issuer.json").write_text(public, "utf-8")
    return Path(make_certificates(folder))


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def guarded(workspace: Workspace, keys: Path, filled: Filled, systems: Sequence[str] = (CLIENT,)) -> Iterator[Secured]:
    """Yield a server of this process that asks for tokens and certificates."""
    good, known = filled
    checker = TokenChecker(keys_given((keys / "issuer.json").read_text("utf-8"), _now), ISSUER, AUDIENCE, _now)
    tls = TlsFiles(keys / "server.key", keys / "server.pem", keys / "ca.pem")
    options = ServerOptions(tls=tls, access=replace(Access(checker), systems=tuple(systems)))
    built = build_server(all_services(workspace), options)
    built.start()
    try:
        yield Secured(f"localhost:{built.port}", keys, good, known)
    finally:
        built.stop(0)


def flags(keys: Path) -> tuple[str, ...]:
    """Return how ``serve`` is told to be such a server."""
    files = {"--tls-key": "server.key", "--tls-certificate": "server.pem", "--tls-client-ca": "ca.pem"}
    files |= {"--token-keys": "issuer.json"}
    named = {name: str(keys / file) for name, file in files.items()}
    named |= {"--tls-client-name": CLIENT, "--token-issuer": ISSUER, "--token-audience": AUDIENCE}
    return tuple(part for pair in named.items() for part in pair)
