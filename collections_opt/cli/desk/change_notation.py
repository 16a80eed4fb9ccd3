"""Changes of capacity as people write them, and what the capacity script shows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.core.desk.capacity_changes import QueueChange
from collections_opt.core.errors import CollectionsError, Reason, refuse

FIELDS = {
    "agents": "agents",
    "paid-minutes": "paid_minutes",
    "shrinkage": "shrinkage",
    "occupancy": "occupancy",
    "committed-minutes": "committed_minutes",
}
NOTATION = (
    "QUEUE:FIELD=VALUE[,FIELD=VALUE]; fields agents, paid-minutes, shrinkage, occupancy, committed-minutes, minutes. "
    "agents=+2 adds two, minutes=+10% scales the queue's minutes, QUEUE:closed closes it."
)
"""How a change is written."""


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
    given: dict[str, float] = {}
    for part in rest.split(","):
        name, equals, value = part.partition("=")
        if not equals:
            raise _unreadable(text)
        field, number = _figure(name.strip(), value.strip(), text)
        given[field] = number
    return QueueChange(queue_id, **given)  # type: ignore[arg-type]


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
    return pb.CapacityChanges(
        queues=[
            pb.QueueChange(
                queue_id=change.queue_id,
                agent_count=change.agents,
                added_agent_count=change.added_agents,
                paid_minutes=change.paid_minutes,
                shrinkage=change.shrinkage,
                occupancy=change.occupancy,
                committed_minutes=change.committed_minutes,
                capacity_factor=change.capacity_factor,
                closed=change.closed,
            )
            for change in changes
        ]
    )


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
