"""Files that people chose, while they read and correct their mappings: few, in memory alone, and each person's own."""

from __future__ import annotations

import threading
from collections import OrderedDict

from collections_opt.console.forms import SentFile
from collections_opt.console.sessions import Session

MAX_HELD = 8
"""Files of all people; the one held longest makes room."""


class Uploads:
    """Holds the last file of each person."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, SentFile] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, session: Session, file: SentFile) -> None:
        """Hold a person's file in place of their last one."""
        with self._lock:
            self._held.pop(session.csrf, None)
            self._held[session.csrf] = file
            while len(self._held) > MAX_HELD:
                self._held.popitem(last=False)

    def find(self, session: Session) -> SentFile | None:
        """Return a person's file; None where it was not sent, or made room."""
        with self._lock:
            return self._held.get(session.csrf)

    def drop(self, session: Session) -> None:
        """Hold a person's file no longer."""
        with self._lock:
            self._held.pop(session.csrf, None)
