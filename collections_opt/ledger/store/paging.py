"""Lists read whole, a page per transaction, so that reading much never holds up who writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from collections_opt.core.limits import MAX_PAGE_SIZE

Row = TypeVar("Row")
Place = TypeVar("Place")


def every_row(read: Callable[[Place, int], list[Row]], start: Place, place_of: Callable[[Row], Place]) -> Iterator[Row]:
    """Yield all rows of a list.

    Args:
        read: returns the rows that follow a place, at most so many.
        start: the place before all.
        place_of: the place of a row.
    """
    place = start
    while page := read(place, MAX_PAGE_SIZE):
        yield from page
        place = place_of(page[-1])
