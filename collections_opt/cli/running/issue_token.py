"""Issue short-lived tokens that say who calls a server, where no identity provider does.

Example:
    python scripts/issue_token.py new-key --key keys/issuer.pem --public keys/issuer.json
    python scripts/issue_token.py issue --key keys/issuer.pem --name ann --role ANALYST --out ann.token
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.cli.common.product import now
from collections_opt.cli.common.running import run_commands
from collections_opt.core.actors import ActorRole
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.scopes import Scope
from collections_opt.service.access.tokens import AUDIENCE, MAX_LIFETIME, Bearer, issue_to, new_key

ISSUER = "collections-opt"


def new_key_command(
    key: Annotated[Path, typer.Option(help="File of the private key to make; keep it where tokens are issued.")],
    public: Annotated[Path, typer.Option(help="File of its public half, for scripts/serve.py --token-keys.")],
    key_id: Annotated[str, typer.Option(help="Name of the key in tokens.")] = "issuer-1",
) -> None:
    """Make a key that signs tokens, and its public half for servers.

    Example: python scripts/issue_token.py new-key --key keys/issuer.pem --public keys/issuer.json
    """
    pem, keys = new_key(key_id)
    _write_secret(key, pem)
    public.parent.mkdir(parents=True, exist_ok=True)
    public.write_text(keys, encoding="utf-8")
    typer.echo(f"{key} signs tokens; servers check them with --token-keys {public} --token-issuer {ISSUER}")


def issue_command(
    key: Annotated[Path, typer.Option(help="Private key made by new-key.")],
    name: Annotated[str, typer.Option(help="Whom the token is for, such as a login name.")],
    role: Annotated[ActorRole, typer.Option(help="In which role.")],
    portfolio: Annotated[
        list[str] | None, typer.Option(help="Pattern of portfolio ids that it may see; repeatable. Default: all.")
    ] = None,
    desk: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of plan ids that it may see, beside --portfolio or --tenant; repeatable. Default: all."),
    ] = None,
    tenant: Annotated[
        list[str] | None, typer.Option(help="Tenant whose portfolios and plans it may see: ids 'TENANT.*'; repeatable.")
    ] = None,
    minutes: Annotated[int, typer.Option(help=f"How long it holds; at most {MAX_LIFETIME.seconds // 60}.")] = 15,
    issuer: Annotated[str, typer.Option(help="Issuer to name.")] = ISSUER,
    audience: Annotated[str, typer.Option(help="Audience to name.")] = AUDIENCE,
    key_id: Annotated[str, typer.Option(help="Name of the key, as given to new-key.")] = "issuer-1",
    out: Annotated[Path | None, typer.Option(help="File to write, readable by you alone; default: print it.")] = None,
) -> None:
    """Issue a token for a person in a role.

    Example: python scripts/issue_token.py issue --key keys/issuer.pem --name ann --role ANALYST --out ann.token
    """
    try:
        pem = key.read_bytes()
    except OSError as error:
        raise refuse(
            Reason.INVALID_ARGUMENT, "key", f"{key} cannot be read: {error.strerror}.", "Make one with new-key."
        ) from error
    bearer = Bearer(name, role, Scope(tuple(portfolio or ()), tuple(desk or ()), tuple(tenant or ())))
    token = issue_to(bearer, pem, now(), timedelta(minutes=minutes), issuer, audience, key_id)
    if out is None:
        typer.echo(token)
        return
    out.unlink(missing_ok=True)
    _write_secret(out, token.encode())
    typer.echo(f"{out} speaks for {name} as {role} for {minutes} minutes")


def _write_secret(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise refuse(
            Reason.ALREADY_EXISTS, "key", f"{path} exists.", "Name another file; a key is never written over."
        ) from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def command() -> None:
    """Run the command with the arguments of the process."""
    run_commands(
        "Make keys and short-lived tokens for callers of a server.\n\n"
        "Example: python scripts/issue_token.py issue --key keys/issuer.pem --name ann --role ANALYST --out ann.token",
        new_key_command,
        issue_command,
    )
