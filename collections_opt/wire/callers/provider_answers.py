"""What an identity provider answers: JSON over HTTPS, bounded in time and size, from the address asked and no other."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from collections_opt.core.errors import Reason, refuse
from collections_opt.wire.callers.identity import is_loopback

SECONDS = 10.0
MAX_BYTES = 512 * 1024


class _Stay(HTTPRedirectHandler):
    """Follows nothing: where a provider is was checked once."""

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:  # noqa: ARG002
        """Follow no redirection."""
        return


class ProviderAnswers:
    """Asks a provider. Addresses are checked by who asks, with ``require_safe``.

    Args:
        field: what refusals are about.
        remedy: what they advise.
    """

    def __init__(self, field: str, remedy: str) -> None:
        self._field, self._remedy = field, remedy
        self._opener = build_opener(_Stay())

    def get(self, address: str) -> dict[str, Any]:
        """Return what an address answers.

        Raises:
            CollectionsError: UNAUTHENTICATED when it cannot be reached, refuses, or answers no JSON object.
        """
        return self._asked(Request(address, headers={"Accept": "application/json"}))  # noqa: S310

    def post(self, address: str, form: Mapping[str, str], client: tuple[str, str]) -> dict[str, Any]:
        """Return what an address answers to a form; a client that has a secret shows it (RFC 6749, 2.3.1).

        Raises:
            CollectionsError: as ``get``.
        """
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if client[1]:
            shown = f"{quote(client[0], safe='')}:{quote(client[1], safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(shown.encode()).decode()}"
        return self._asked(Request(address, urlencode(form).encode(), headers))  # noqa: S310

    def _asked(self, request: Request) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                content = answer.read(MAX_BYTES + 1)
                headers: Message = answer.headers
        except (URLError, HTTPException, OSError, ValueError) as error:
            told = f"the identity provider does not answer as it must ({type(error).__name__})."
            raise refuse(Reason.UNAUTHENTICATED, self._field, told, self._remedy) from error
        try:
            found = json.loads(content) if len(content) <= MAX_BYTES and headers.get_content_type() != "text/html" else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            told = "the identity provider's answer cannot be read."
            raise refuse(Reason.UNAUTHENTICATED, self._field, told, self._remedy)
        return found


def require_safe(url: str, field: str) -> None:
    """Refuse what is no https URL, nor plain HTTP on this machine.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    except ValueError:
        safe = False
    if not safe or not parts.hostname or parts.fragment:
        raise refuse(Reason.INVALID_ARGUMENT, field, f"{url[:80]!r} is no https address.", "Give the provider's own.")
