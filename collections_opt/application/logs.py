"""How the product writes its log: a line per event, texts visible, errors without what was in them."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from collections_opt.core.shown_text import visible

MAX_VALUE_CHARACTERS = 300
"""Of one value of an event; a longer one is a document or somebody's data."""

_TRACE = "exception"


def write_logs_to(stream: TextIO, level: str = "warning") -> None:
    """Write events from a level on to a stream."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            show_values,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )


def show_values(_logger: object, _level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Make every text of an event visible and short; what terminals would obey is written as its escape."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = visible(value, lines=True) if key == _TRACE else visible(value)[:MAX_VALUE_CHARACTERS]
    return event
