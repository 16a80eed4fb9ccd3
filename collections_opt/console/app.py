"""The console over HTTP: paths to pages, who may see them, and what every answer carries. The API says who may do what."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import available_timezones

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from collections_opt.api.v1.schema_service_pb2 import GetAccountSchemaRequest
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.console.headers import SecurityHeaders
from collections_opt.console.pages import STATUS, Page, Renderer, style
from collections_opt.console.sessions import Session, Sessions
from collections_opt.console.views import ROUTES
from collections_opt.console.views.call import Call
from collections_opt.core.actors import ActorRole
from collections_opt.core.errors import CollectionsError, Reason, refuse

COOKIE = "collections-opt-session"
MAX_FORM_BYTES = 1024 * 1024
"""A form of 200 queues is a tenth of it."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class ConsoleOptions:
    """How a console is shown.

    Attributes:
        hosts: names by which browsers reach it; others are refused, so that no other site's name leads here.
        secure: browsers reach it over TLS: cookies go over nothing else.
        zone: IANA time zone in which people read times unless they choose another.
        now: the clock, with zone.
    """

    now: Callable[[], datetime]
    hosts: Sequence[str] = ("127.0.0.1", "localhost", "[::1]")
    secure: bool = False
    zone: str = "UTC"
    renderer: Renderer = field(default_factory=Renderer)


def console_app(connection: Connection, options: ConsoleOptions) -> Starlette:
    """Return the console of one server.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a time zone that there is none of.
    """
    if options.zone not in available_timezones():
        raise refuse(Reason.INVALID_ARGUMENT, "time_zone", f"{options.zone!r} is none.", "Name one like Europe/Vienna.")
    console = _Console(connection, options)
    routes = [
        Route("/", lambda _: RedirectResponse("/today", 303)),
        Route("/static/console.css", console.style),
        Route("/sign-in", console.sign_in, methods=["GET", "POST"]),
        Route("/sign-out", console.sign_out, methods=["POST"]),
        *(Route(path, console.view(view), methods=list(methods)) for path, methods, view in ROUTES),
    ]
    middleware = [
        Middleware(SecurityHeaders, secure=options.secure),
        Middleware(TrustedHostMiddleware, allowed_hosts=[host.strip("[]") for host in options.hosts]),
    ]
    return Starlette(routes=routes, middleware=middleware, exception_handlers={404: console.nowhere, 405: console.nowhere})


class _Console:
    def __init__(self, connection: Connection, options: ConsoleOptions) -> None:
        self._connection = connection
        self._options = options
        self._sessions = Sessions(connection, options.now)
        self._style = style()

    async def style(self, _: Request) -> Response:
        return Response(self._style, media_type="text/css", headers={"Cache-Control": "max-age=300"})

    async def nowhere(self, _: Request, error: Exception) -> Response:
        told = refuse(Reason.NOT_FOUND, "page", "there is no such page.", "Choose one from the start.")
        return self._refused(told, getattr(error, "status_code", 404))

    def view(self, view: Callable[[Call], Page | Response]) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            session = self._sessions.find(request.cookies.get(COOKIE, ""))
            if session is None:
                return RedirectResponse("/sign-in", 303)
            try:
                form = await _form(request) if request.method == "POST" else {}
                if request.method == "POST":
                    _check_form(form, session)
            except CollectionsError as error:
                return self._refused(error, 400)
            call = Call(session, dict(request.query_params), form, self._options.now)
            return await run_in_threadpool(self._answered, view, call)

        return answer

    def _answered(self, view: Callable[[Call], Page | Response], call: Call) -> Response:
        try:
            made = view(call)
        except CollectionsError as error:
            return self._refused(error, STATUS.get(error.reason, 400), call.session)
        return self._options.renderer.answer(made, call.session) if isinstance(made, Page) else made

    async def sign_in(self, request: Request) -> Response:
        """Show the form, or open a session for who shows a token that the server takes."""
        if request.method == "GET":
            return await run_in_threadpool(self._sign_in_form, None)
        try:
            _check_site(request)
            form = await _form(request)
        except CollectionsError as error:
            return self._refused(error, 400)
        return await run_in_threadpool(self._opened, form)

    def _opened(self, form: Mapping[str, str]) -> Response:
        key = ""
        try:
            zone = form.get("zone", "") or self._options.zone
            if zone not in available_timezones():
                raise refuse(Reason.INVALID_ARGUMENT, "time zone", f"{zone[:60]!r} is none.", "Choose one like Europe/Vienna.")
            token = "".join(form.get("token", "").split())
            key, session = self._sessions.open(token, form.get("name", ""), form.get("role", ""), zone)
            session.client.schema.GetAccountSchema(GetAccountSchemaRequest())
        except CollectionsError as error:
            self._sessions.end(key)
            return self._sign_in_form(error)
        answer = RedirectResponse("/today", 303)
        answer.set_cookie(COOKIE, key, httponly=True, samesite="strict", secure=self._options.secure, path="/")
        return answer

    def _sign_in_form(self, refusal: CollectionsError | None) -> Response:
        try:
            with connect(self._connection) as client:
                client.schema.GetAccountSchema(GetAccountSchemaRequest())
            asks = False
        except CollectionsError as error:
            asks = error.reason is Reason.UNAUTHENTICATED
            refusal = refusal or (None if asks else error)
        return self._options.renderer.alone(
            "sign_in.html",
            200 if refusal is None else STATUS.get(refusal.reason, 400),
            title="Sign in",
            refusal=refusal,
            asks_for_token=asks,
            roles=[role.value for role in ActorRole],
            zone=self._options.zone,
            zones=sorted(available_timezones()),
        )

    async def sign_out(self, request: Request) -> Response:
        key = request.cookies.get(COOKIE, "")
        session = self._sessions.find(key)
        if session is not None:
            try:
                _check_form(await _form(request), session)
            except CollectionsError as error:
                return self._refused(error, 400)
            self._sessions.end(key)
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=self._options.secure)
        return answer

    def _refused(self, error: CollectionsError, status: int, session: Session | None = None) -> Response:
        return self._options.renderer.alone("refusal.html", status, title="Refused", refusal=error, signed_in=session is not None)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form as browsers send it without files."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise refuse(Reason.LIMIT_EXCEEDED, "form", f"holds more than {MAX_FORM_BYTES:,} bytes.", "Send less.")
    try:
        return dict(parse_qsl(bytes(body).decode("ascii"), keep_blank_values=True, errors="strict"))
    except ValueError as error:
        raise refuse(Reason.MALFORMED_MESSAGE, "form", "cannot be read.", "Send it from the page.") from error


def _check_form(form: Mapping[str, str], session: Session) -> None:
    """Refuse a form that another site made."""
    if not secrets.compare_digest(form.get("csrf", "").encode(), session.csrf.encode()):
        raise refuse(Reason.INVALID_ARGUMENT, "form", "was not made by this page.", "Open the page again and send it from there.")


def _check_site(request: Request) -> None:
    """Refuse a sign-in that another site sends: there is no session yet whose secret it could lack."""
    origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or urlsplit(origin).netloc != host:
        raise refuse(Reason.INVALID_ARGUMENT, "form", "was sent from another site.", "Sign in on the console's own page.")
