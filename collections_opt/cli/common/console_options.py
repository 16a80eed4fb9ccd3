"""The console's options, the same for a console alone and beside a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collections_opt.cli.common.product import now
from collections_opt.core.errors import Reason, refuse

if TYPE_CHECKING:
    from collections_opt.client.connection import Connection
    from collections_opt.console.openid import OpenId
    from collections_opt.console.serving import ConsoleServer


@dataclass(frozen=True)
class ConsolePages:
    """Where a console listens and how it shows what it shows; ``run`` turns the fields into options."""

    host: Annotated[str, typer.Option(help="Address to listen on; plain HTTP on this machine alone.")] = "127.0.0.1"
    certificate: Annotated[Path | None, typer.Option(help="PEM certificate to show to browsers, with its key.")] = None
    key: Annotated[Path | None, typer.Option(help="PEM key of that certificate.")] = None
    behind_proxy: Annotated[bool, typer.Option(help="A proxy in front of the console ends TLS.")] = False
    name: Annotated[
        list[str] | None,
        typer.Option(help="Name by which browsers reach it; repeatable. Default: this machine's loopback names."),
    ] = None
    time_zone: Annotated[str, typer.Option(help="IANA time zone in which people read times unless they choose another.")] = "UTC"


@dataclass(frozen=True)
class OpenIdSignIn:
    """How people sign in at the lender's identity provider; ``run`` turns the fields into options."""

    openid_issuer: Annotated[str, typer.Option(help="Your identity provider, by the URL that its tokens name.")] = ""
    openid_client: Annotated[str, typer.Option(help="Id under which the provider knows this console.")] = ""
    openid_secret: Annotated[Path | None, typer.Option(help="File of that client's secret, if it has one.")] = None
    openid_scope: Annotated[str, typer.Option(help="What is asked of the provider.")] = "openid"
    openid_audience: Annotated[str, typer.Option(help="Audience of the access token, where the provider asks for it.")] = ""
    openid_role_claim: Annotated[str, typer.Option(help="Claim of the token that names the role.")] = "role"
    openid_id_token: Annotated[
        bool, typer.Option("--openid-id-token", help="Send the ID token to the server: the access tokens are no JWT.")
    ] = False

    def provider(self) -> OpenId | None:
        """Return who signs people in; None where no provider is named.

        Raises:
            CollectionsError: INVALID_ARGUMENT without the console's id, for a secret that cannot be read, and as ``OpenId``.
        """
        if not self.openid_issuer:
            return None
        if not self.openid_client:
            remedy = "Register the console at the provider and name the id that it gave."
            raise refuse(Reason.INVALID_ARGUMENT, "openid_client", "is missing beside openid_issuer.", remedy)
        # Imported here: a server without pages needs nothing of the extra 'console'.
        from collections_opt.console.openid import OpenId, Provider  # noqa: PLC0415

        told = (self.openid_scope, self.openid_audience, self.openid_id_token, self.openid_role_claim)
        return OpenId(Provider(self.openid_issuer, self.openid_client, self._secret(), *told), now)

    def _secret(self) -> str:
        if self.openid_secret is None:
            return ""
        try:
            return self.openid_secret.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            cause = getattr(error, "strerror", None) or "it is not text"
            told = f"{self.openid_secret} cannot be read: {cause}."
            raise refuse(Reason.INVALID_ARGUMENT, "openid_secret", told, "Check the file.") from error


def console_of(connection: Connection, port: int, pages: ConsolePages, sign_in: OpenIdSignIn) -> ConsoleServer:
    """Return a console that has begun to answer, and say where.

    Args:
        connection: to its server.
        port: 0 takes a free one.
        pages: where it listens.
        sign_in: how people sign in.

    Raises:
        CollectionsError: as ``OpenIdSignIn.provider``, ``ConsoleServer`` and ``console_app``.
    """
    from collections_opt.console.app import ConsoleOptions, console_app  # noqa: PLC0415 - as above
    from collections_opt.console.serving import ConsoleServer, Listening  # noqa: PLC0415

    at = Listening(pages.host, port, pages.certificate, pages.key, pages.behind_proxy)
    hosts = pages.name or ConsoleOptions.hosts
    options = ConsoleOptions(now=now, secure=at.secure, zone=pages.time_zone, openid=sign_in.provider(), hosts=hosts)
    console = ConsoleServer(console_app(connection, options), at)
    console.start()
    typer.echo(f"console on {console.url}")
    return console
