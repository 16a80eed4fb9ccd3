"""What is worked out once from objects that nobody changes, and found again by which objects they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class MadeOnce(Generic[T]):
    """Keeps what was made last, with the objects that it was made from, so that no other object can take their place.

    Comparing a plan or a table of rules by content costs more than most of what is made from it.

    Args:
        most: how much is kept; the oldest gives way.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._kept: dict[Hashable, tuple[tuple[object, ...], T]] = {}
        self._lock = threading.Lock()

    def get(self, objects: tuple[object, ...], make: Callable[[], T], also: Hashable = None) -> T:
        """Return what ``make`` makes, never to be changed, of frozen objects and of ``also``, compared by content."""
        key = (*map(id, objects), also)
        found = self._kept.get(key)
        if found is not None:
            return found[1]
        made = make()
        with self._lock:
            self._kept[key] = objects, made
            while len(self._kept) > self._most:
                self._kept.pop(next(iter(self._kept)))
        return made
