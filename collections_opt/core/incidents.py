"""What a log may tell of an unexpected error: where it happened and of which kind, never what was in it.

Messages and local variables of an unexpected error hold whatever was being worked on, such as rows of a portfolio or the
parameters of a statement. What the operating system says may be told, and the reason of a refusal.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import PurePath

from collections_opt.core.errors import CollectionsError

MAX_FRAMES = 12
"""Innermost calls that are told of each error of a chain."""

MAX_ERRORS = 5
"""Errors of a chain that are told."""

_PACKAGE = "collections_opt"


def trace_of(error: BaseException) -> str:
    """Return the kinds of an error and its causes, each with the calls that led to it, without messages, values or source."""
    return "\n".join("\n".join([_named(each), *_frames(each)]) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(MAX_ERRORS):
        if current is None:
            return
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _named(error: BaseException) -> str:
    name = type(error).__qualname__
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    return f"{name}: {error.reason}" if isinstance(error, CollectionsError) else name


def _frames(error: BaseException) -> list[str]:
    # Walked rather than extracted: neither source lines nor variables are ever read.
    walked = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return [f"  {_place(code.co_filename)}:{line} in {code.co_qualname}" for code, line in walked[-MAX_FRAMES:]]


def _place(filename: str) -> str:
    parts = PurePath(filename).parts
    start = len(parts) - 1 - parts[::-1].index(_PACKAGE) if _PACKAGE in parts else -2
    return "/".join(parts[start:])
