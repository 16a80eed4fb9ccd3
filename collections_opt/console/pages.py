"""Pages as they are sent: the frame and the first answer at once, the slower parts as they come. No script runs in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import jinja2
from starlette.responses import HTMLResponse, Response, StreamingResponse

from collections_opt.console.sessions import Session
from collections_opt.console.shown import FILTERS, instant, shown
from collections_opt.core.errors import CollectionsError, Reason

PAGES = (
    ("/today", "Today"),
    ("/what-if", "What if"),
    ("/orders", "Orders"),
    ("/account", "Account"),
    ("/data", "Data"),
    ("/models", "Models"),
    ("/evidence", "Evidence"),
)
"""The pages by their path, as the navigation shows them."""

STATUS = {
    Reason.NOT_FOUND: 404,
    Reason.PERMISSION_DENIED: 403,
    Reason.UNAUTHENTICATED: 401,
    Reason.OUTCOME_UNKNOWN: 503,
    Reason.OVERLOADED: 503,
    Reason.INTERNAL: 500,
}
"""What a refusal of the first part is over HTTP; every other one is 400."""

Content = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A part of a page.

    Attributes:
        template: its file.
        load: asks the API and returns what the template shows.
    """

    template: str
    load: Callable[[], Content]


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        path: its place in the navigation.
        title: names it.
        parts: what it shows, in order; the first is loaded before anything is sent.
        head: what the frame's own blocks show.
    """

    path: str
    title: str
    parts: Sequence[Part]
    head: Content = field(default_factory=dict)


class Renderer:
    """The templates of the console."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("collections_opt.console"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=shown,
        )
        self._environment.filters.update(FILTERS)

    def answer(self, page: Page, session: Session) -> Response:
        """Return a page as it is sent to a person."""
        given = {"session": session, "pages": PAGES, "here": page.path, "title": page.title, **page.head}
        given["instant"] = instant(session.zone)
        first, status = self._part(page.parts[0], given)

        def sent() -> Iterator[str]:
            yield self._render("top.html", given) + first
            for part in page.parts[1:]:
                yield self._part(part, given)[0]
            yield self._render("bottom.html", given)

        return StreamingResponse(sent(), status_code=status, media_type="text/html")

    def alone(self, template: str, status: int = 200, **content: Any) -> Response:
        """Return a page of nobody: signing in, and what is refused before."""
        given = {"session": None, "pages": (), "here": "", "title": "Console", **content}
        text = self._render("top.html", given) + self._render(template, given) + self._render("bottom.html", given)
        return HTMLResponse(text, status)

    def _part(self, part: Part, given: Content) -> tuple[str, int]:
        try:
            return self._render(part.template, {**given, **part.load()}), 200
        except CollectionsError as error:
            return self._render("refusal.html", {**given, "refusal": error}), STATUS.get(error.reason, 400)

    def _render(self, template: str, given: Content) -> str:
        return self._environment.get_template(template).render(given)


def style() -> bytes:
    """Return the style sheet: what reports wear, and what a console needs beside it."""
    look = resources.files("collections_opt.reports").joinpath("templates/page.css").read_bytes()
    return look + resources.files("collections_opt.console").joinpath("templates/console.css").read_bytes()
