"""The console over HTTP: paths to pages, who may see them, and what every answer carries. The API says who may do what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit
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
from collections_opt.console.forms import check_form, check_site, read_form
from collections_opt.console.headers import SecurityHeaders
from collections_opt.console.openid import PATIENCE, OpenId
from collections_opt.console.pages import STATUS, Page, Renderer, style
from collections_opt.console.sessions import Session, Sessions
from collections_opt.console.uploads import Uploads
from collections_opt.console.views import FILE_PATHS, ROUTES
from collections_opt.console.views.call import Call
from collections_opt.core.actors import ActorRole
from collections_opt.core.errors import CollectionsError, Reason, refuse

COOKIE = "collections-opt-session"
LEAVING_COOKIE = "collections-opt-signing-in"
RETURN = "/signed-in"
"""Where an identity provider sends people back."""


@dataclass(frozen=True)
class ConsoleOptions:
    """How a console is shown.

    Attributes:
        hosts: names by which browsers reach it; others are refused, so that no other site's name leads here.
        secure: browsers reach it over TLS: cookies go over nothing else.
        zone: IANA time zone in which people read times unless they choose another.
        openid: the identity provider at which people sign in; None for tokens that they paste.
        now: the clock, with zone.
    """

    now: Callable[[], datetime]
    hosts: Sequence[str] = ("127.0.0.1", "localhost", "[::1]")
    secure: bool = False
    zone: str = "UTC"
    openid: OpenId | None = None
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
        *([Route("/sign-in/openid", console.leave), Route(RETURN, console.signed_in)] if options.openid else []),
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
        role_claim = options.openid.provider.role_claim if options.openid else "role"
        self._sessions = Sessions(connection, options.now, role_claim)
        self._style = style()
        self._uploads = Uploads()

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
                form, file = await read_form(request, request.url.path in FILE_PATHS) if request.method == "POST" else ({}, None)
                if request.method == "POST":
                    check_form(form, session)
            except CollectionsError as error:
                return self._refused(error, 400)
            call = Call(session, dict(request.query_params), form, self._options.now, file, self._uploads)
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
            check_site(request)
            form, _ = await read_form(request)
        except CollectionsError as error:
            return self._refused(error, 400)
        return await run_in_threadpool(self._opened, form)

    async def leave(self, request: Request) -> Response:
        """Send a person to the identity provider. Not by a redirection: forms of these pages lead to no other site."""
        return await run_in_threadpool(self._left, request)

    def _left(self, request: Request) -> Response:
        try:
            zone = self._zone(request.query_params.get("zone", ""))
            scheme = "https" if self._options.secure else "http"
            begun = self._openid.begin(f"{scheme}://{request.headers['host']}{RETURN}", zone)
        except CollectionsError as error:
            return self._sign_in_form(error)
        to = urlsplit(begun.url).netloc
        answer = self._options.renderer.alone("session/leaving.html", title="Sign in", refresh=begun.url, to=to)
        self._set_cookie(answer, LEAVING_COOKIE, begun.browser, RETURN, "lax", int(PATIENCE.total_seconds()))
        return answer

    async def signed_in(self, request: Request) -> Response:
        """Open a session for who comes back from the identity provider."""
        return await run_in_threadpool(self._came_back, request)

    def _came_back(self, request: Request) -> Response:
        try:
            found = self._openid.finish(dict(request.query_params), request.cookies.get(LEAVING_COOKIE, ""))
            key = self._begun(found.bearer, "", "", found.zone)
        except CollectionsError as error:
            return self._sign_in_form(error)
        # A browser that another site sent here shows no strict cookie to where a redirection leads: a page of ours must lead on.
        answer = self._options.renderer.alone("session/leaving.html", title="Signed in", refresh="/today", to="today")
        self._set_cookie(answer, COOKIE, key)
        answer.delete_cookie(LEAVING_COOKIE, path=RETURN, httponly=True, samesite="lax", secure=self._options.secure)
        return answer

    def _opened(self, form: Mapping[str, str]) -> Response:
        try:
            token = "".join(form.get("token", "").split())
            key = self._begun(token, form.get("name", ""), form.get("role", ""), self._zone(form.get("zone", "")))
        except CollectionsError as error:
            return self._sign_in_form(error)
        answer = RedirectResponse("/today", 303)
        self._set_cookie(answer, COOKIE, key)
        return answer

    def _begun(self, token: str, name: str, role: str, zone: str) -> str:
        """Return the id of a new session that the server lets in."""
        key, session = self._sessions.open(token, name, role, zone)
        try:
            session.client.schema.GetAccountSchema(GetAccountSchemaRequest())
        except CollectionsError:
            self._sessions.end(key)
            raise
        return key

    def _zone(self, asked: str) -> str:
        zone = asked or self._options.zone
        if zone not in available_timezones():
            raise refuse(Reason.INVALID_ARGUMENT, "time zone", f"{zone[:60]!r} is none.", "Choose one like Europe/Vienna.")
        return zone

    @property
    def _openid(self) -> OpenId:
        if self._options.openid is None:
            raise AssertionError("the path is there only with a provider")
        return self._options.openid

    def _set_cookie(
        self,
        answer: Response,
        name: str,
        value: str,
        path: str = "/",
        same_site: Literal["lax", "strict"] = "strict",
        seconds: int | None = None,
    ) -> None:
        answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite=same_site, secure=self._options.secure, path=path)

    def _sign_in_form(self, refusal: CollectionsError | None) -> Response:
        try:
            with connect(self._connection) as client:
                client.schema.GetAccountSchema(GetAccountSchemaRequest())
            asks = False
        except CollectionsError as error:
            asks = error.reason is Reason.UNAUTHENTICATED
            refusal = refusal or (None if asks else error)
        return self._options.renderer.alone(
            "session/sign_in.html",
            200 if refusal is None else STATUS.get(refusal.reason, 400),
            title="Sign in",
            refusal=refusal,
            asks_for_token=asks,
            provider=urlsplit(self._options.openid.provider.issuer).netloc if self._options.openid else "",
            roles=[role.value for role in ActorRole],
            zone=self._options.zone,
            zones=sorted(available_timezones()),
        )

    async def sign_out(self, request: Request) -> Response:
        key = request.cookies.get(COOKIE, "")
        session = self._sessions.find(key)
        if session is not None:
            try:
                check_form((await read_form(request))[0], session)
            except CollectionsError as error:
                return self._refused(error, 400)
            self._sessions.end(key)
        answer = await run_in_threadpool(self._gone)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=self._options.secure)
        return answer

    def _gone(self) -> Response:
        openid = self._options.openid
        if openid is None:
            return RedirectResponse("/sign-in", 303)
        return self._options.renderer.alone(
            "session/signed_out.html",
            title="Signed out",
            end=openid.end_session(),
            provider=urlsplit(openid.provider.issuer).netloc,
        )

    def _refused(self, error: CollectionsError, status: int, session: Session | None = None) -> Response:
        return self._options.renderer.alone("refusal.html", status, title="Refused", refusal=error, signed_in=session is not None)
