"""What browsers send: fields, and one file where a page takes one; bounded, and refused where another site made it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from collections_opt.console.sessions import Session
from collections_opt.core.errors import Reason, refuse

MAX_FORM_BYTES = 1024 * 1024
"""A form of 200 queues is a tenth of it."""

MAX_FILE_BYTES = 32 * 2**20
"""A file that somebody chose; larger ones go by the command that imports."""


@dataclass(frozen=True)
class SentFile:
    """A file that somebody chose: its name without folders, and its bytes."""

    name: str
    content: bytes


Sent = tuple[dict[str, str], SentFile | None]


async def read_form(request: Request, takes_file: bool = False) -> Sent:
    """Return the fields of a form, and the file that came with it.

    Raises:
        CollectionsError: LIMIT_EXCEEDED; MALFORMED_MESSAGE for what no browser sends.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data") and takes_file:
        return await _with_file(request)
    body = bytearray()
    async for chunk in _bounded(request, MAX_FORM_BYTES):
        body += chunk
    try:
        return dict(parse_qsl(bytes(body).decode("ascii"), keep_blank_values=True, errors="strict")), None
    except ValueError as error:
        raise refuse(Reason.MALFORMED_MESSAGE, "form", "cannot be read.", "Send it from the page.") from error


async def _with_file(request: Request) -> Sent:
    parser = MultiPartParser(request.headers, _bounded(request, MAX_FILE_BYTES + MAX_FORM_BYTES), max_files=1, max_fields=50)
    parser.spool_max_size = MAX_FILE_BYTES + MAX_FORM_BYTES  # it is of a portfolio: nothing of it goes to a disk
    try:
        found = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise refuse(Reason.MALFORMED_MESSAGE, "form", "cannot be read.", "Send it from the page.") from error
    fields = {name: value for name, value in found.multi_items() if isinstance(value, str)}
    for value in found.values():
        if isinstance(value, UploadFile) and value.filename:
            name = value.filename.replace("\\", "/").rpartition("/")[2]
            return fields, SentFile(name, await value.read())
    return fields, None


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > most:
            raise refuse(Reason.LIMIT_EXCEEDED, "form", f"holds more than {most:,} bytes.", "Send less.")
        yield chunk


def check_form(form: Mapping[str, str], session: Session) -> None:
    """Refuse a form that another site made.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    if not secrets.compare_digest(form.get("csrf", "").encode(), session.csrf.encode()):
        raise refuse(Reason.INVALID_ARGUMENT, "form", "was not made by this page.", "Open the page again and send it from there.")


def check_site(request: Request) -> None:
    """Refuse a sign-in that another site sends: there is no session yet whose secret it could lack.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or urlsplit(origin).netloc != host:
        raise refuse(Reason.INVALID_ARGUMENT, "form", "was sent from another site.", "Sign in on the console's own page.")
