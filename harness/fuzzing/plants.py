"""Bugs planted on purpose: a fuzzer that does not find them proves nothing."""

from __future__ import annotations

import sys
from typing import Any

from google.protobuf.message_factory import GetMessageClass

from collections_opt.application.experiments import planning
from collections_opt.service.server import handlers
from collections_opt.service.servicers.lists import paging


def malformed_bytes_escape() -> None:
    """Let bytes that are no message through to the library."""
    handlers.parse = lambda message_type, raw: GetMessageClass(message_type.DESCRIPTOR).FromString(raw)


def odd_page_size() -> None:
    """Fail where a page is asked for that is larger than any."""
    read = paging.read_page

    def sized(scope: str, page_size: int, page_token: str, start: Any) -> Any:
        if page_size > 10_000:
            raise KeyError(page_size)
        return read(scope, page_size, page_token, start)

    for module in list(sys.modules.values()):
        if getattr(module, "read_page", None) is read:
            module.read_page = sized  # type: ignore[attr-defined]


def tiny_share() -> None:
    """Take any share above 0 for one that people can be drawn by."""
    planning._check = lambda asked: None


PLANTS = {function.__name__: function for function in (malformed_bytes_escape, odd_page_size)}
"""Bugs for raw bytes."""

ODD_PLANTS = {function.__name__: function for function in (odd_page_size, tiny_share)}
"""Bugs for messages that are odd but are messages."""
