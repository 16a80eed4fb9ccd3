"""Opaque page tokens: a place in a list, bound to the call that issued it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE

DEFAULT_PAGE_SIZE = 100
Place = TypeVar("Place", int, str)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Place]):
    """A page asked for: its size and the place it starts after.

    Attributes:
        scope: the list and its filters; a token of another scope is refused.
        size: items per page.
        after: the place.
    """

    scope: str
    size: int
    after: Place

    def next_token(self, last: Place) -> str:
        """Return the token of the page after a place."""
        text = json.dumps([last, _seal(self.scope, last)])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def cut(self, items: Sequence[Item]) -> tuple[Sequence[Item], bool]:
        """Return the page of items read with one to spare, and whether more follow."""
        return items[: self.size], len(items) > self.size


def read_page(scope: str, page_size: int, page_token: str, start: Place) -> Page[Place]:
    """Return the page a request asks for; sizes above the limit are cut to it.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a negative size, PAGE_TOKEN_INVALID for a token not issued for this list.
    """
    if page_size < 0:
        raise refuse(Reason.INVALID_ARGUMENT, "page_size", f"{page_size} is negative.", f"Send 0 to {MAX_PAGE_SIZE}.")
    size = min(page_size, MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE
    return Page(scope, size, _read_token(scope, page_token, start) if page_token else start)


def _read_token(scope: str, token: str, start: Place) -> Place:
    try:
        content = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        place, seal = content
    except (binascii.Error, ValueError, TypeError, RecursionError):
        place, seal = None, None
    if type(place) is not type(start) or seal != _seal(scope, place):
        raise refuse(
            Reason.PAGE_TOKEN_INVALID,
            "page_token",
            "was not issued for this call.",
            "Start from the first page, without a token.",
        )
    return place


def _seal(scope: str, place: int | str) -> str:
    return digest_text(json.dumps([scope, place]))[:16]
