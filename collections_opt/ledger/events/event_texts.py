"""Events as the JSON that is sealed: one text for one content."""

from __future__ import annotations

import json

from collections_opt.core.day.events import Event
from collections_opt.ledger.log.chain import canonical_json


def text_of(event: Event) -> str:
    """Return the canonical JSON of an event."""
    return canonical_json(event.content())


def event_of(text: str | None) -> Event | None:
    """Return the event of its JSON; None for what was erased.

    Raises:
        CollectionsError: INTEGRITY_FAILURE for what no version of this code wrote.
    """
    return None if text is None else Event.of_content(json.loads(text))
