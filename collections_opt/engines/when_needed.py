"""Spark as an engine that starts when it is told to, or with the first ranking it makes: a refused command waits for no Java."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from collections_opt.engines.passes import Columns, Passes

if TYPE_CHECKING:
    from collections_opt.engines.on_spark import SparkEngine


class SparkWhenNeeded:
    """An engine on Spark whose session starts when it is first needed.

    Args:
        master: where Spark is, such as ``local[2,4]``.
        folder: of the parts, as ``SparkEngine``.
        least_accounts: rankings of fewer accounts are made in this process.
    """

    def __init__(self, master: str, folder: str, least_accounts: int = 1) -> None:
        self.least_accounts = least_accounts
        self._master = master
        self._folder = folder
        self._lock = threading.Lock()
        self._engine: SparkEngine | None = None

    def start(self) -> None:
        """Start the session now: Java is started by a fork, which threads of a gRPC server can break."""
        self._started()

    @contextmanager
    def spread(self, columns: Columns) -> Iterator[Passes]:
        """Keep rows in parts and read them on Spark for the time of a block, as ``SparkEngine``."""
        with self._started().spread(columns) as passes:
            yield passes

    def close(self) -> None:
        """Stop the session, if it was started."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
            self._engine = None

    def _started(self) -> SparkEngine:
        # Imported here: only who makes a ranking on Spark pays for it.
        from collections_opt.engines.on_spark import SparkEngine  # noqa: PLC0415
        from collections_opt.engines.sessions import session_of  # noqa: PLC0415

        with self._lock:
            if self._engine is None:
                self._engine = SparkEngine(session_of(self._master), self._folder)
            return self._engine
