"""What a view is given: who asks, for what, and the ranking that a page is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from starlette.responses import Response

from collections_opt.api.v1.ranking_pb2 import Ranking
from collections_opt.client.client import Client
from collections_opt.client.rankings import get_ranking, ranking_in_force
from collections_opt.console.forms import SentFile
from collections_opt.console.sessions import Session
from collections_opt.console.uploads import Uploads
from collections_opt.core.errors import Reason, refuse


@dataclass(frozen=True)
class Call:
    """A request of a person.

    Attributes:
        session: who asks.
        query: of the address: ids of desks, rankings and days, never of accounts or persons.
        form: what they sent; empty for a page that is only looked at.
        now: the clock, with zone.
        file: a file that came with the form.
        uploads: files that people chose before.
    """

    session: Session
    query: Mapping[str, str]
    form: Mapping[str, str]
    now: Callable[[], datetime]
    file: SentFile | None = None
    uploads: Uploads = field(default_factory=Uploads)

    @property
    def client(self) -> Client:
        """The API, in their name."""
        return self.session.client

    def said(self, name: str) -> str:
        """Return what the form or else the address says; "" where neither does."""
        return (self.form.get(name) or self.query.get(name) or "").strip()

    def ranking(self) -> Ranking:
        """Return the ranking that the page is about: the one named, else the one that the desk works.

        Raises:
            CollectionsError: as ``get_ranking`` and ``ranking_in_force``; INVALID_ARGUMENT for a day that is none.
        """
        if named := self.said("ranking"):
            return get_ranking(self.client, named)
        return ranking_in_force(self.client, self.said("desk"), self.day("day"))

    def day(self, name: str) -> date | None:
        """Return a day that was said; None where none was.

        Raises:
            CollectionsError: INVALID_ARGUMENT.
        """
        text = self.said(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise refuse(Reason.INVALID_ARGUMENT, name, f"{text[:40]!r} is no day.", "Write 2026-11-27.") from error


def download(content: bytes, name: str, kind: str) -> Response:
    """Return a file to keep."""
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
