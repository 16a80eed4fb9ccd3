"""Events as the JSON that is sealed: one text for one content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from collections_opt.core.day.events import Event
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.log.chain import canonical_json


def text_of(event: Event) -> str:
    """Return the canonical JSON of an event."""
    return canonical_json(event.content())


def event_of(text: str | None) -> Event | None:
    """Return the event of its JSON; None for what was erased; raises as ``events_of``."""
    return events_of([text])[0]


def events_of(texts: Sequence[str | None]) -> list[Event | None]:
    """Return the events of their JSON, read as one text; None for what was erased.

    Raises:
        CollectionsError: INTEGRITY_FAILURE for what no version of this code wrote.
    """
    try:
        contents: list[dict[str, Any] | None] = json.loads(
            "[" + ",".join(["null" if text is None else text for text in texts]) + "]"
        )
    except ValueError as error:
        raise _unreadable() from error
    if len(contents) != len(texts):
        raise _unreadable()
    return [None if content is None else Event.of_content(content) for content in contents]


def _unreadable() -> CollectionsError:
    return refuse(Reason.INTEGRITY_FAILURE, "events", "an event is not one.", "Use the code that wrote it, or newer.")
