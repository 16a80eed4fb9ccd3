"""Whether anybody still waits for what is being computed: asked between stages, so that work ends soon after its caller left.

It decides only whether work goes on, never what comes out of it; work that nobody asked about goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Unwanted(BaseException):
    """Nobody waits for the result any more."""


_asked: ContextVar[Callable[[], bool]] = ContextVar("asked", default=lambda: True)


@contextmanager
def wanted_while(asked: Callable[[], bool]) -> Iterator[None]:
    """Let ``require_wanted`` ask for the time of a block; threads started within must copy the context to be asked too."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def require_wanted(*_progress: object) -> None:
    """Go on to the next stage; takes and ignores progress, so that it may stand for a callback.

    Raises:
        Unwanted: nobody waits any more.
    """
    if not _asked.get()():
        raise Unwanted
