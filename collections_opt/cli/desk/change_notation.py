"""Changes of capacity as people write them, and what the capacity script shows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.core.desk.capacity_changes import QueueChange
from collections_opt.core.desk.list_changes import READERS, ListChange, ListOperation
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.wire.capacity_changes import write_queue_change

FIELDS = {
    "agents": "agents",
    "paid-minutes": "paid_minutes",
    "shrinkage": "shrinkage",
    "occupancy": "occupancy",
    "committed-minutes": "committed_minutes",
}
NOTATION = (
    "QUEUE:FIELD=VALUE[,FIELD=VALUE]; fields agents, paid-minutes, shrinkage, occupancy, committed-minutes, minutes. "
    "agents=+2 adds two, minutes=+10% scales the queue's minutes, QUEUE:closed closes it. Lists: states+=US-TX|US-IL adds "
    "licences, states-=US-TX takes one away, states=US-TX says them all; so for products, skills, specialisms, buckets, "
    "languages and windows=08:00-12:00|13:00-17:00; time-zone=America/New_York says whose clock."
)
"""How a change is written."""

_OPERATIONS = {"=": ListOperation.SET, "+=": ListOperation.ADD, "-=": ListOperation.REMOVE}


def read_change(text: str) -> QueueChange:
    """Return a change of one queue.

    Raises:
        CollectionsError: INVALID_ARGUMENT saying how a change is written.
    """
    queue_id, colon, rest = text.partition(":")
    if not (queue_id and colon and rest):
        raise _unreadable(text)
    if rest == "closed":
        return QueueChange(queue_id, closed=True)
    given: dict[str, object] = {}
    lists: list[ListChange] = []
    for part in rest.split(","):
        said = re.fullmatch(r"\s*([a-z-]+?)\s*(\+=|-=|=)\s*(.*?)\s*", part)
        if said is None:
            raise _unreadable(text)
        name, sign, value = said.groups()
        if name in READERS:
            lists.append(ListChange(name, _OPERATIONS[sign], tuple(filter(None, map(str.strip, value.split("|"))))))
        elif sign != "=":
            raise _unreadable(text)
        elif name == "time-zone":
            given["time_zone"] = value
        else:
            field, number = _figure(name, value, text)
            given[field] = number
    return QueueChange(queue_id, **given, lists=tuple(lists))  # type: ignore[arg-type]


def read_changes(texts: Sequence[str]) -> list[QueueChange]:
    """Return all changes, in order.

    Raises:
        CollectionsError: INVALID_ARGUMENT when there is none.
    """
    if not texts:
        raise refuse(Reason.INVALID_ARGUMENT, "--change", "is missing.", f"Say what to change: {NOTATION}")
    return [read_change(text) for text in texts]


def write_changes(changes: Sequence[QueueChange]) -> pb.CapacityChanges:
    """Return changes as a message."""
    return pb.CapacityChanges(queues=[write_queue_change(change) for change in changes])


def _figure(name: str, value: str, text: str) -> tuple[str, float]:
    percent = re.fullmatch(r"([+-]\d+(?:\.\d+)?)%", value)
    if name == "minutes" and percent:
        return "capacity_factor", 1 + float(percent[1]) / 100
    if name not in FIELDS or not re.fullmatch(r"[+-]?\d+(?:\.\d+)?", value):
        raise _unreadable(text)
    if name == "agents" and value[0] in "+-":
        return "added_agents", float(value)
    return FIELDS[name], float(value)


def _unreadable(text: str) -> CollectionsError:
    return refuse(Reason.INVALID_ARGUMENT, "--change", f"{text!r} cannot be read.", f"Write {NOTATION}")
