"""Public keys of whoever signs tokens, followed as they change: a rotation needs no restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from collections_opt.core.errors import CollectionsError, Reason, refuse

Key = TypeVar("Key")

KEPT = timedelta(minutes=5)
"""After that the keys are read again; a key that was withdrawn holds no longer than that."""

AGAIN = timedelta(seconds=30)
"""How soon they are read again, for a key that is not among those kept, or because the last reading failed."""

MAX_AGE = timedelta(hours=24)
"""How long the keys last read hold while they cannot be read again."""

_REMEDY = "Get a new token; if it stays so, tell whoever runs this service."


class PublishedKeys(Generic[Key]):
    """The keys that an issuer publishes, by id. Safe to use from any thread.

    Every reading replaces all of them: a key that is no longer published no longer holds. While the issuer cannot be reached,
    those read last hold until ``MAX_AGE``, and no other does.

    Args:
        read: reads what is published now: each key with its id, None for a key without.
        now: the clock, with zone.
    """

    def __init__(self, read: Callable[[], Iterable[tuple[str | None, Key]]], now: Callable[[], datetime]) -> None:
        self._read = read
        self._now = now
        self._lock = threading.Lock()
        self._keys: tuple[tuple[str | None, Key], ...] = ()
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None

    def claim(self, key_id: str | None) -> bool:
        """Return whether to read the keys before this one is asked for; who is told so does it, and nobody else for ``AGAIN``."""
        moment = self._now()
        with self._lock:
            stale = self._read_at is None or moment >= self._read_at + KEPT
            wanted = stale or not self._named(key_id)
            if not wanted or (self._tried_at is not None and moment < self._tried_at + AGAIN):
                return False
            self._tried_at = moment
            return True

    def holds(self, key_id: str | None) -> bool:
        """Return whether one kept key has this id."""
        with self._lock:
            return len(self._named(key_id)) == 1

    def refresh(self) -> None:
        """Read the keys; may wait for the issuer.

        Raises:
            CollectionsError: as ``read``; those read before are kept.
        """
        moment = self._now()
        with self._lock:
            self._tried_at = moment
        found = tuple(self._read())
        with self._lock:
            self._keys, self._read_at = found, moment

    def named(self, key_id: str | None) -> Key:
        """Return the key of this id among those kept; without id the only one. Waits for nothing.

        Raises:
            CollectionsError: UNAUTHENTICATED for none, for several, and when the keys are older than ``MAX_AGE``.
        """
        moment = self._now()
        with self._lock:
            found, read_at = self._named(key_id), self._read_at
        if read_at is None or moment >= read_at + MAX_AGE:
            raise _refused("the issuer's keys could not be read for too long.")
        if len(found) != 1:
            raise _refused(f"{len(found)} keys of the issuer are named {str(key_id)[:80]!r}.")
        return found[0]

    def current(self, key_id: str | None) -> Key:
        """Return the same, after reading the keys where that is due; for callers that may wait.

        Raises:
            CollectionsError: as ``named``; as ``read`` where no key of that id was read before.
        """
        if self.claim(key_id):
            try:
                self.refresh()
            except CollectionsError:
                if not self.holds(key_id):
                    raise
        return self.named(key_id)

    def _named(self, key_id: str | None) -> list[Key]:
        return [key for name, key in self._keys if key_id in (None, name)]


def _refused(told: str) -> CollectionsError:
    return refuse(Reason.UNAUTHENTICATED, "authorization", told, _REMEDY)
