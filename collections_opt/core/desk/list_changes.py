"""Changes of what a team holds in lists: licences, products, skills, windows of the day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import time
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from collections_opt.core.desk.day_windows import DayWindow, shown_minutes
from collections_opt.core.desk.queues import Queue
from collections_opt.core.errors import Reason, refuse


class ListOperation(StrEnum):
    """What is done to a list."""

    SET = "SET"
    """It holds these and nothing else; none of them empties it."""
    ADD = "ADD"
    """It also holds these, after what it holds."""
    REMOVE = "REMOVE"
    """It holds these no more."""


@dataclass(frozen=True)
class ListChange:
    """A change of one list of a queue.

    Attributes:
        list_name: the list, a key of ``READERS``.
        operation: what is done.
        items: texts as plans write them: ``US-TX``, ``CARD``, ``2`` for a bucket, ``08:00-12:00`` for a window.
    """

    list_name: str
    operation: ListOperation
    items: tuple[str, ...] = ()


def read_window(text: str) -> DayWindow:
    """Return a window written as 08:00-12:00; 24:00 is the end of the day.

    Raises:
        ValueError: for anything else.
    """
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(text)
    return DayWindow(time.fromisoformat(start), time() if end == "24:00" else time.fromisoformat(end))


def shown_window(window: DayWindow) -> str:
    """Return a window as ``read_window`` reads it."""
    return shown_minutes(*window.minutes).replace(" to ", "-")


READERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "skills": str,
        "specialisms": str,
        "products": str,
        "buckets": int,
        "states": str,
        "languages": str,
        "windows": read_window,
    }
)
"""How an item of each list is read."""


def with_list(queue: Queue, change: ListChange, path: str) -> Queue:
    """Return a queue with one of its lists changed; windows stay in the order of the day.

    Raises:
        CollectionsError: INVALID_ARGUMENT for an unknown list, an item that cannot be read, and for removing what is not there.
    """
    read = READERS.get(change.list_name)
    if read is None:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"{path}.list_name",
            f"{change.list_name!r} is no list.",
            f"Use one of: {', '.join(READERS)}.",
        )
    items = []
    for index, text in enumerate(change.items):
        try:
            items.append(read(text))
        except ValueError as error:
            remedy = "Write 08:00-12:00." if change.list_name == "windows" else "Write a whole number."
            raise refuse(Reason.INVALID_ARGUMENT, f"{path}.items[{index}]", f"{text[:40]!r} cannot be read.", remedy) from error
    held = list(getattr(queue, change.list_name))
    if change.operation is ListOperation.SET:
        made = items
    elif change.operation is ListOperation.ADD:
        made = held + [item for item in items if item not in held]
    else:
        missing = [text for text, item in zip(change.items, items, strict=True) if item not in held]
        if missing:
            raise refuse(
                Reason.INVALID_ARGUMENT,
                f"{path}.items",
                f"{', '.join(missing)} is not among the {change.list_name} of {queue.queue_id!r}.",
                "Name what the list holds.",
            )
        made = [item for item in held if item not in items]
        if not made and change.list_name not in (
            "skills",
            "specialisms",
        ):  # An empty list means everything: taking the last licence away must not license every state.
            raise refuse(
                Reason.INVALID_ARGUMENT,
                f"{path}.items",
                f"{queue.queue_id!r} would hold no {change.list_name}, which means all.",
                "Close the queue, or set an empty list to mean all.",
            )
    if change.list_name == "windows":
        made = sorted(made, key=lambda window: window.minutes)
    changed: dict[str, Any] = {change.list_name: tuple(made)}
    return replace(queue, **changed)
